# Everything runs in .venv, made here from the pinned versions in requirements/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= reports/out/default
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: report test lint reports bench gpu-check kernels test-slow test-extras test-browser tables requirements clean

report: $(VENV)/.report  ## Compare every model on the embedded default tables and write a report.
	$(BIN)/ensemblekit compare --out $(OUT)

test: $(VENV)/.dev  ## Unit tests, end-to-end tests, doctests, scikit-learn's estimator checks.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto
	SCIPY_ARRAY_API=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/mixture/test_array_api.py

test-slow: $(VENV)/.dev  ## What is too long for every run.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m slow

test-extras: $(VENV)/.dev  ## What needs Ray, MLflow or CodeCarbon.
	$(PIP) -r requirements/extras.txt
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m extras

test-browser: $(VENV)/.dev  ## The page in a real browser and on paper; needs Chromium (CHROMIUM=path), Pango and npm, which brings axe-core.
	$(PIP) -r requirements/browser.txt
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m browser

lint: $(VENV)/.dev  ## ruff check, ruff format --check, mypy, import-linter.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

reports: $(VENV)/.report  ## Make the reports under reports/published/ again.
	$(BIN)/ensemblekit compare --fresh --out reports/published/default
	$(BIN)/ensemblekit compare reports/studies/larger.toml --fresh --out reports/published/larger

bench: $(VENV)/.dev  ## Speed as ratios, measured side by side in one run.
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

kernels: $(VENV)/.dev  ## Kernel proofs on the CPU: host simulation, sanitizers, machine code by NVRTC (58 MB, no driver needed).
	$(PIP) -r requirements/kernels.txt
	$(BIN)/python -m pytest -q -rs tests/gpu -m "kernels or not (gpu or slow)"

# With GPU_PYTHON, a Python that has CuPy, scikit-learn, numba and pytest already, nothing is installed.
GPU_PYTHON ?=
GPU_RUN = PYTHONPATH=.:gpu:reports $(or $(GPU_PYTHON),$(BIN)/python)
GPU_TESTS = -m pytest -q -rs -p no:cacheprovider -m gpu tests/gpu/test_device.py tests/gpu/test_evaluation.py tests/gpu/test_marginal.py
gpu-check: $(if $(GPU_PYTHON),,$(VENV)/.dev)  ## Needs a CUDA device: GPU tests, compute-sanitizer where it works, then the benchmark.
	$(if $(GPU_PYTHON),,$(PIP) -r requirements/gpu.txt)
	@$(GPU_RUN) -c 'import sys; from ensemblekit import device; sys.exit(device.why_no_gpu())'
	$(GPU_RUN) $(GPU_TESTS)
	@if $(GPU_RUN) -c 'import cupy; cupy.zeros(1)' && compute-sanitizer $(or $(GPU_PYTHON),$(BIN)/python) -c 'import cupy; cupy.zeros(1)' >/dev/null 2>&1; \
	then PYTHONPATH=.:gpu:reports compute-sanitizer --error-exitcode 1 $(or $(GPU_PYTHON),$(BIN)/python) $(GPU_TESTS); \
	else echo "compute-sanitizer is missing or does not work here: skipped"; fi
	$(GPU_RUN) gpu/benchmarks/run.py

tables: $(VENV)/.report  ## Generate the tables under data/ again.
	$(BIN)/python data/generate.py

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ensemblekit needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.report: $(VENV)/.python requirements/build.txt requirements/report.txt pyproject.toml
	$(PIP) -r requirements/build.txt -r requirements/report.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.report requirements/dev.txt
	$(PIP) -r requirements/dev.txt
	@touch $@

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate
requirements:  ## Resolve the pinned versions again (needs uv).
	$(COMPILE) --extra dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --extra boosting --extra report -c requirements/dev.txt pyproject.toml -o requirements/report.txt
	$(COMPILE) --extra gpu -c requirements/dev.txt pyproject.toml -o requirements/gpu.txt
	echo "nvidia-cuda-nvrtc>=13 ; sys_platform == 'linux'" | $(COMPILE) - -o requirements/kernels.txt
	$(COMPILE) --extra ray --extra mlflow --extra energy -c requirements/dev.txt pyproject.toml -o requirements/extras.txt
	printf 'playwright\nweasyprint\n' | $(COMPILE) -c requirements/dev.txt - -o requirements/browser.txt
	echo hatchling | $(COMPILE) -c requirements/dev.txt - -o requirements/build.txt

clean:
	rm -rf $(VENV) dist build reports/out .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
