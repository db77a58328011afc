"""A trained model is asked: by PyTorch, by ONNX Runtime, or by the Triton that serves it."""
