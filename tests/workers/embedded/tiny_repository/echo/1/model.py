"""A model that returns its input and says which Python it runs in."""

import platform

import numpy as np
import onnxruntime  # noqa: F401 - must be importable inside Triton
import tokenizers  # noqa: F401 - likewise
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            text = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
            version = np.full(text.shape, platform.python_version().encode(), dtype=object)
            tensors = [pb_utils.Tensor("TEXT", text), pb_utils.Tensor("PYTHON", version)]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
        return responses
