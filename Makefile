# Everything a newcomer needs: `make demo`, `make test`. No environment has to be active.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := src tests benchmarks

.PHONY: demo generate-demo generate-cifar10 test coverage fuzz fuzz-bounds lint format docs kernels results clean

demo: $(STAMP)
	$(BIN)/python benchmarks/demo.py demo

# A small generative model, trained in a minute and a half on bundled digits, or on the images in DATA.
generate-demo: $(STAMP)
	$(BIN)/python benchmarks/generate_demo.py demo/generate $(if $(filter file,$(origin DATA)),,$(DATA))

# Our CIFAR-10 and the thesis', MINUTES of training each, then judged: into benchmarks/results. Started again it goes on.
generate-cifar10: MINUTES ?= 180
generate-cifar10: $(STAMP)
	$(BIN)/python benchmarks/generative_compare.py $(DATA)/cifar10 cifar10 cifar10-thesis --minutes $(MINUTES) --models models

test: lint
	$(BIN)/python -m pytest

# Lines and branches of what reads files: at least 95%, or this fails.
READERS := $(patsubst %,fourcodec.%,bitstream codec fnc profiles fnet.profile \
	$(patsubst %,grid.%,config profile rendering tiled weight_coding))
COVERING := bitstream golden inspection fnet/test_profile.py grid/test_profile.py grid/test_tiled.py \
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
	$(BIN)/python benchmarks/kernels.py

# Every published number, in about ten hours on two cores. DATA holds kodak/, imagenet/, graphics/ and pngsuite/.
DATA ?= data
RESULTS := benchmarks/results
FOUR := $(patsubst %,$(DATA)/kodak/kodim%.png,23 15 01 05)
SIX := $(patsubst %,$(DATA)/kodak/kodim%.png,01 05 07 15 19 23)
TWO := $(filter %05.png %15.png,$(SIX))
SCREENSHOTS := $(patsubst %,$(DATA)/graphics/%.png,codec_wiki graph)
CROPPED := n01484850_great_white_shark n02098105_soft-coated_wheaten_terrier n02676566_acoustic_guitar n03535780_horizontal_bar n04252077_snowmobile
results: $(STAMP)
	$(BIN)/python benchmarks/kernels.py > $(RESULTS)/kernels.txt
	$(BIN)/python benchmarks/threads.py > $(RESULTS)/threads.txt
	$(BIN)/python benchmarks/generative_kernel.py $(RESULTS)/generative-kernel.txt
	$(BIN)/python benchmarks/costs.py > $(RESULTS)/costs.txt
	$(BIN)/python benchmarks/grid_step.py step > $(RESULTS)/grid-step.txt
	$(BIN)/python benchmarks/grid_step.py sizes >> $(RESULTS)/grid-step.txt
	$(BIN)/python -m benchmarks.alpha > $(RESULTS)/alpha.tsv
	$(BIN)/python -m benchmarks.oddities $(DATA)/pngsuite > $(RESULTS)/pngsuite.tsv
	$(BIN)/python -m benchmarks.oddities --made > $(RESULTS)/oddities.tsv
	$(BIN)/python benchmarks/how_it_sees.py demo/how-it-sees
	for name in waves pyramid bits; do cp demo/how-it-sees/$$name.png docs/images/how-it-sees-$$name.png; done
	$(BIN)/python -m benchmarks.limits table > $(RESULTS)/limits.tsv
	$(BIN)/python -m benchmarks.limits worst 4194304 > $(RESULTS)/limits-worst.tsv
	$(BIN)/python benchmarks/special.py special $(SCREENSHOTS) > $(RESULTS)/grid-special.tsv
	$(BIN)/python benchmarks/special.py split $(CROPPED:%=$(DATA)/imagenet/%.JPEG) > $(RESULTS)/grid-split.tsv
	$(BIN)/python benchmarks/grid_trace.py --crop 256 $(DATA)/kodak/kodim01.png > $(RESULTS)/grid-trace.tsv
	$(BIN)/python benchmarks/rounding.py --steps 600 --crop 256 $(SIX) > $(RESULTS)/rounding.tsv
	$(BIN)/python benchmarks/ablation.py base,relu=1e-3,relu=4e-3,order=1,order=3,passes=1,passes=2,kernel,filters $(FOUR) > $(RESULTS)/grid-ablation.tsv
	$(BIN)/python benchmarks/ablation.py base,prior $(FOUR) > $(RESULTS)/grid-prior.tsv
	$(BIN)/python benchmarks/peers.py $(DATA)/kodak $(RESULTS)/peers-kodak.txt
	$(BIN)/python benchmarks/foundation.py --size 8x6 $(FOUR) > $(RESULTS)/foundation-8x6.tsv
	$(BIN)/python benchmarks/foundation.py --size 7x5 $(FOUR) > $(RESULTS)/foundation-7x5.tsv
	$(BIN)/python benchmarks/foundation.py --size 8x6 --crop 256 --without-float $(FOUR) > $(RESULTS)/foundation-256.tsv
	$(BIN)/python benchmarks/foundation.py --without-float --effort 1 2 3 4 -- $(DATA)/kodak/kodim15.png > $(RESULTS)/effort.tsv
	$(BIN)/python benchmarks/fnet_rates.py $(RESULTS)/fnet-kodak.tsv $(SIX)
	$(BIN)/python benchmarks/fnet_rates.py $(RESULTS)/fnet-kodak.tsv --summary $(RESULTS)/fnet-kodak.md --plot docs/images/fnet-kodak.png $(SIX)
	$(BIN)/python benchmarks/fnet_rates.py $(RESULTS)/fnet-256.tsv --crop 256 --rates 0.25,0.5,1,2 $(SIX)
	$(BIN)/python benchmarks/fnet_rates.py $(RESULTS)/fnet-256.tsv --summary $(RESULTS)/fnet-256.md --plot docs/images/fnet-256.png $(SIX)
	for effort in 7 9; do \
	$(BIN)/python benchmarks/fnet_rates.py $(RESULTS)/fnet-effort$$effort.tsv --effort $$effort --rates 0.08,0.15,0.25 $(TWO) && \
	$(BIN)/python benchmarks/fnet_rates.py $(RESULTS)/fnet-effort$$effort.tsv --summary $(RESULTS)/fnet-effort$$effort.md $(TWO) || exit 1; done
	$(BIN)/python benchmarks/targets.py $(RESULTS)/targets-crops.tsv $(DATA)/kodak --crop 160 --iterations 400 --seed 2
	$(BIN)/python benchmarks/bench_summary.py $(RESULTS)/imagenet-8x6.md $(DATA)/imagenet --limit 24 --width 8 --depth 6 --effort 5
	$(BIN)/python benchmarks/thesis_table.py $(DATA)/imagenet $(RESULTS)/thesis-table.tsv --effort 1

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
