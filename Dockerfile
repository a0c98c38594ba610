# The base install: encodes on the CPU, decodes, inspects, verifies. It needs neither root nor a root that can be written:
#
#   docker build -t fourcodec .
#   docker run --rm --read-only --network none -v "$PWD:/data" --user "$(id -u)" fourcodec decode photo.fnc copy.png
#
# Compiled kernels are made with the image, for the processor that builds it and the user 1000. Another processor or user
# compiles them at each start, which takes some seconds, unless a folder of its own is mounted at /var/cache/fourcodec:
#   --mount type=volume,source=fourcodec-kernels,target=/var/cache/fourcodec
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml requirements.lock ./
COPY docs/package.md docs/
COPY src src
RUN python -m venv /opt/fourcodec \
 && /opt/fourcodec/bin/pip install --no-cache-dir -c requirements.lock . \
 && /opt/fourcodec/bin/pip uninstall -y pip

FROM python:3.12-slim
COPY --from=build /opt/fourcodec /opt/fourcodec
RUN useradd --uid 1000 --create-home fourcodec \
 && install -d -o fourcodec -m 700 /var/cache/fourcodec
ENV PATH=/opt/fourcodec/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    FOURCODEC_CACHE_DIR=/var/cache/fourcodec
USER fourcodec
WORKDIR /data
# Both profiles, grey and colour: what it encodes it decodes again, so that all of their kernels are kept.
RUN ["python", "-c", "import numpy, fourcodec\nfor shape in ((48, 64), (48, 64, 3)):\n for profile in ('grid', 'fnet'):\n  fourcodec.encode(numpy.zeros(shape, numpy.uint8), profile=profile, iterations=2, device='cpu')"]
ENTRYPOINT ["fourcodec"]
CMD ["--help"]
