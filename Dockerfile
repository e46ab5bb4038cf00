# docker build -t s2s .
#
# The default engines run on the CPU, on amd64 and arm64. Other base images, extras and a package mirror are
# build arguments: see docs/deployment.md.

ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS base
ARG PYTHON=python3
# Base images such as nvidia/cuda have no Python, or one that cannot create a virtual environment; they get
# their distribution's. libportaudio2 is left out: only --mode local needs it, and a container has no sound card.
# llama.cpp needs libgomp1.
# hadolint ignore=DL3008,SC2086
RUN "$PYTHON" -c 'import ensurepip' 2>/dev/null || packages="ca-certificates $PYTHON $PYTHON-venv"; \
    apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 $packages \
    && rm -rf /var/lib/apt/lists/*

FROM base AS build
ARG PYTHON=python3
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
WORKDIR /app
COPY requirements.txt ./
COPY catalog/__init__.py catalog/weights.py catalog/
COPY pipeline/__init__.py pipeline/errors.py pipeline/
COPY utils/__init__.py utils/hub.py utils/installation.py utils/logs.py utils/package_index.py utils/packaged.py \
     utils/progress.py utils/reason.py utils/writable.py utils/
RUN --mount=type=cache,target=/root/.cache/pip \
    "$PYTHON" -m venv .venv \
    && .venv/bin/pip install --disable-pip-version-check -r requirements.txt \
    && MODEL_CACHE_DIR=/models .venv/bin/python -m catalog.weights
ARG EXTRAS=""
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    if [ -n "$EXTRAS" ]; then .venv/bin/pip install --disable-pip-version-check -e ".[$EXTRAS]"; fi

FROM base
# A number, so that a runtime that forbids root can tell; the same in every image, because volumes keep it
RUN useradd --uid 10001 --create-home s2s
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY --from=build --chown=10001:10001 /models /models
COPY . .
ENV PATH=/app/.venv/bin:$PATH \
    MODEL_CACHE_DIR=/models \
    PYTHONUNBUFFERED=1
USER 10001:10001
# It holds the built-in models; a new named volume is filled from here
VOLUME /models
EXPOSE 8000 12345 12346
# http.client, because it ignores proxy settings. The server does not answer until the engines are loaded
HEALTHCHECK --interval=30s --timeout=5s --start-period=2m \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
# Without S2S_TOKEN it exits at once, with the reason
ENTRYPOINT ["python", "s2s_pipeline.py"]
CMD ["--mode", "websocket", "--host", "0.0.0.0"]
