"""From a run to what Triton serves: the graph, its int8 and fp16 forms, the model card."""
