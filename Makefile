# Everything a newcomer needs: `make demo`, `make test`. No environment has to be active.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := src tests benchmarks tools examples

.PHONY: demo generate-demo generate-cifar10 test test-base coverage fuzz fuzz-bounds fuzz-folders wheel lint format docs figures kernels results clean

demo: $(STAMP)
	$(BIN)/python -m examples.demo demo

# A small generative model, trained in a minute and a half on bundled digits, or on the images in DATA.
generate-demo: $(STAMP)
	$(BIN)/python -m examples.generate_demo demo/generate $(if $(filter file,$(origin DATA)),,$(DATA))

# CIFAR-10 in cells and by the thesis, MINUTES of training each with the density, on DEVICE (auto, cpu or cuda), then
# evaluated into benchmarks/results. Started again, it goes on with the training that was begun.
generate-cifar10: MINUTES ?= 180
generate-cifar10: DEVICE ?= auto
generate-cifar10: $(STAMP)
	$(BIN)/python -m benchmarks.generative_compare $(DATA)/cifar10 cifar10-cells cifar10-thesis --minutes $(MINUTES) --device $(DEVICE) --models models

# In two processes: most tests are of one thread.
test: lint
	$(BIN)/python -m pytest -n 2

# The base install in an environment of its own: what it can do without the extras, and its size. It asks the package index.
test-base: $(STAMP)
	FOURCODEC_TEST_INSTALL=1 $(BIN)/python -m pytest -m install tests

# Lines and branches of what reads files: at least 95%, or this fails.
READERS := $(patsubst %,fourcodec.%,bitstream codec fnc profiles $(patsubst %,fnet.%,config profile rendering) \
	$(patsubst %,grid.%,config profile rendering tiling weight_coding))
COVERING := bitstream golden inspection fnet/test_profile.py $(patsubst %,grid/test_%.py,profile tiled tiling) \
	$(patsubst %,test_%.py,codec grid_codec format views verify limits)
coverage: $(STAMP)
	$(BIN)/python -m pytest -q $(READERS:%=--cov=%) --cov-report=term-missing --cov-fail-under=95 $(COVERING:%=tests/%)

# Damaged files by the thousand, for so many minutes a target (docs/fuzzing.md). The corpus in .fuzz is where it goes on.
fuzz: MINUTES ?= 5
fuzz: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/fuzz/requirements.lock
	nice $(BIN)/python -m tests.fuzz.run --minutes $(MINUTES) $(TARGETS)

# The same damage through kernels that check every index, and through plain Python.
COUNT ?= 10000
fuzz-bounds: $(STAMP)
	for target in fnet grid; do \
	NUMBA_BOUNDSCHECK=1 nice $(BIN)/python -m tests.fuzz.checked $$target $(COUNT) && \
	NUMBA_DISABLE_JIT=1 nice $(BIN)/python -m tests.fuzz.checked $$target 200 || exit 1; done

# Damaged journals, data sets, models and their priors.
fuzz-folders: COUNT := 100000
fuzz-folders: $(STAMP)
	for target in journal dataset model prior; do nice $(BIN)/python -m tests.fuzz.folders $$target $(COUNT) || exit 1; done

# A wheel in dist/ with kernels compiled ahead, for this Python and its numba; others compile at their first start.
wheel: $(STAMP)
	rm -rf build src/fourcodec/shipped
	$(BIN)/python -m tools.ship_kernels
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .
	rm -rf build src/fourcodec/shipped

lint: $(STAMP)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# What is made from the program itself.
docs: $(STAMP)
	$(BIN)/python -m fourcodec.cli.reference > docs/cli.md

kernels: $(STAMP)
	$(BIN)/python -m benchmarks.kernels

# Most of the published numbers, in about fourteen hours on two cores. DATA holds kodak/, imagenet/, graphics/ and pngsuite/;
# ANCHOR, where given, is a table of Cool-chic's points (seq_name, rate_bpp, psnr_db).
DATA ?= data
ANCHOR ?=
RESULTS := benchmarks/results
SIX := $(patsubst %,$(DATA)/kodak/kodim%.png,01 05 07 15 19 23)
FOUR := $(filter %01.png %05.png %15.png %23.png,$(SIX))
THREE := $(filter %05.png %15.png %23.png,$(SIX))
TWO := $(filter %05.png %15.png,$(SIX))
SCREENSHOTS := $(patsubst %,$(DATA)/graphics/%.png,codec_wiki graph)
CROPPED := n01484850_great_white_shark n02098105_soft-coated_wheaten_terrier n02676566_acoustic_guitar n03535780_horizontal_bar n04252077_snowmobile
RUN := $(BIN)/python -m benchmarks.
results: $(STAMP)
	$(RUN)kernels > $(RESULTS)/kernels.txt
	$(RUN)generative_kernel $(RESULTS)/generative-kernel.txt
	$(RUN)costs > $(RESULTS)/costs.txt
	$(RUN)folders > $(RESULTS)/folders.txt
	$(RUN)grid_step step > $(RESULTS)/grid-step.txt
	$(RUN)grid_step sizes >> $(RESULTS)/grid-step.txt
	$(RUN)alpha > $(RESULTS)/alpha.tsv
	$(RUN)views $(DATA) > $(RESULTS)/views.tsv
	$(RUN)oddities $(DATA)/pngsuite > $(RESULTS)/pngsuite.tsv
	$(RUN)oddities --made > $(RESULTS)/oddities.tsv
	$(RUN)flips > $(RESULTS)/flips.tsv
	$(RUN)kills > $(RESULTS)/kills.txt
	$(RUN)limits table > $(RESULTS)/limits.tsv
	$(RUN)limits worst 4194304 > $(RESULTS)/limits-worst.tsv
	$(RUN)special special $(SCREENSHOTS) > $(RESULTS)/grid-special.tsv
	$(RUN)special split $(CROPPED:%=$(DATA)/imagenet/%.JPEG) > $(RESULTS)/grid-split.tsv
	$(RUN)peers $(DATA)/kodak $(RESULTS)/peers-kodak.txt
	$(RUN)kodak $(RESULTS)/kodak-grid.tsv $(SIX) --jobs 2 --summary $(RESULTS)/kodak-grid.md $(ANCHOR:%=--anchor %)
	$(RUN)kodak $(RESULTS)/kodak-effort8.tsv $(THREE) --effort 8 --quality 20,45,70 --summary $(RESULTS)/kodak-effort8.md $(ANCHOR:%=--anchor %)
	$(RUN)foundation --size 8x6 $(FOUR) > $(RESULTS)/foundation-8x6.tsv
	$(RUN)foundation --size 7x5 $(FOUR) > $(RESULTS)/foundation-7x5.tsv
	$(RUN)foundation --without-float --effort 1 2 3 4 -- $(DATA)/kodak/kodim15.png > $(RESULTS)/effort.tsv
	$(RUN)fnet_rates $(RESULTS)/fnet-kodak.tsv $(SIX)
	$(RUN)fnet_rates $(RESULTS)/fnet-kodak.tsv --summary $(RESULTS)/fnet-kodak.md --plot docs/images/fnet-kodak.png $(SIX)
	$(RUN)fnet_rates $(RESULTS)/fnet-256.tsv --crop 256 --rates 0.25,0.5,1,2 $(SIX)
	$(RUN)fnet_rates $(RESULTS)/fnet-256.tsv --summary $(RESULTS)/fnet-256.md --plot docs/images/fnet-256.png $(SIX)
	for effort in 7 9; do \
	$(RUN)fnet_rates $(RESULTS)/fnet-effort$$effort.tsv --effort $$effort --rates 0.08,0.15,0.25 $(TWO) && \
	$(RUN)fnet_rates $(RESULTS)/fnet-effort$$effort.tsv --summary $(RESULTS)/fnet-effort$$effort.md $(TWO) || exit 1; done
	$(RUN)visual measure $(RESULTS)/visual-crops.tsv --crop 256 --iterations 400 --qualities 20,45,70 $(FOUR)
	$(RUN)visual summary $(RESULTS)/visual-crops.tsv > $(RESULTS)/visual-crops.txt
	$(RUN)targets $(RESULTS)/targets-crops.tsv $(DATA)/kodak --crop 160 --iterations 400 --seed 2
	$(BIN)/fourcodec bench $(DATA)/imagenet -o demo/imagenet-8x6 --resume --limit 24 --width 8 --depth 6 --effort 5
	cp demo/imagenet-8x6/summary.md $(RESULTS)/imagenet-8x6.md
	$(RUN)thesis_table $(DATA)/imagenet $(RESULTS)/thesis-table.tsv --effort 1

# The figures of docs/how-it-sees.md.
figures: $(STAMP)
	$(BIN)/python -m tools.how_it_sees demo/how-it-sees
	for name in waves pyramid bits; do cp demo/how-it-sees/$$name.png docs/images/how-it-sees-$$name.png; done

clean:
	rm -rf $(VENV) demo build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz .coverage
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# Made once, and again whenever what it was made from changes. The lock pins the build backend too, hence no build isolation.
$(STAMP): requirements.lock pyproject.toml
	@echo "installing into $(VENV): 1.8 GB, some minutes"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
