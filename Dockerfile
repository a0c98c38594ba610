# The base install: encodes on the CPU, decodes, inspects, verifies. It needs neither root nor a root that can be written:
#
#   docker build -t fourcodec .
#   docker run --rm --read-only --network none -v "$PWD:/data" --user "$(id -u)" fourcodec decode photo.fnc copy.png
#
# Kernels are compiled with the image, for all users, and for processors of x86-64-v3 and -v4 (as far as the one that
# builds it has them). What they do not cover is compiled at each start, unless a folder is mounted to keep it:
#   --mount type=volume,source=fourcodec-kernels,target=/var/cache/fourcodec
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml requirements.lock ./
COPY docs/package.md docs/
COPY src src
COPY tools tools
RUN python -m venv /opt/fourcodec \
 && /opt/fourcodec/bin/pip install --no-cache-dir -c requirements.lock . \
 && /opt/fourcodec/bin/pip uninstall -y pip \
 && /opt/fourcodec/bin/python -m tools.ship_kernels /opt/fourcodec/lib/python3.12/site-packages/fourcodec/shipped

FROM python:3.12-slim
COPY --from=build /opt/fourcodec /opt/fourcodec
RUN useradd --uid 1000 --create-home fourcodec \
 && install -d -o fourcodec -m 700 /var/cache/fourcodec
ENV PATH=/opt/fourcodec/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    FOURCODEC_CACHE_DIR=/var/cache/fourcodec
USER fourcodec
WORKDIR /data
ENTRYPOINT ["fourcodec"]
CMD ["--help"]
