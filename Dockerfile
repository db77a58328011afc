# syntax=docker/dockerfile:1

# Two images:
#   worker   the `intentstream` command: enricher, personalizer and the tools around them
#   triton   NVIDIA's Triton with the Python packages that model_repository/ imports
# Build one with `docker build --target worker .`; docker-compose.yml builds both.

ARG PYTHON_IMAGE=python:3.13-slim
ARG TRITON_IMAGE=nvcr.io/nvidia/tritonserver:25.02-py3

# --- worker -----------------------------------------------------------------------------------

FROM ${PYTHON_IMAGE} AS wheels
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY streams/ streams/
COPY workers/ workers/
RUN python -m venv /opt/intentstream \
    && /opt/intentstream/bin/pip install --no-cache-dir --no-compile .

FROM ${PYTHON_IMAGE} AS worker
RUN useradd --uid 10001 --user-group --create-home intentstream
COPY --from=wheels /opt/intentstream /opt/intentstream
ENV PATH=/opt/intentstream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /home/intentstream
STOPSIGNAL SIGTERM
ENTRYPOINT ["intentstream"]
CMD ["--help"]

# --- triton -----------------------------------------------------------------------------------

FROM ${TRITON_IMAGE} AS triton
# The versions that the embedded stack is tested with (workers/embedded/triton.lock). The first
# line stops the build when another image brings another Python than these were chosen for.
RUN python3 -c "import sys; assert sys.version_info[:2] == (3, 12), sys.version" \
    && python3 -m pip install --no-cache-dir --break-system-packages \
        numpy==1.26.4 onnxruntime==1.32.0 tokenizers==0.23.3
# model_repository/ is mounted read-only, or copied in by an image made FROM this one.
ENV PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000 8001 8002
