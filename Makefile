# Everything runs in .venv, which is made at first use and again when requirements-hashed.txt or
# pyproject.toml change. Another Python: make book PYTHON3=/path/to/python3.12

RIGHT_PYTHON := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON3 ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(RIGHT_PYTHON)' 2>/dev/null && { echo $$p; break; }; done)

PYTHON := .venv/bin/python
INSTALLED := .venv/installed

# TensorFlow's start-up notices are no test results.
export TF_CPP_MIN_LOG_LEVEL := 3

.DEFAULT_GOAL := help
.PHONY: help book pages test processors check chapters study-small lab lock lowest coverage mutants audit dist clean

help:  ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# A failed build that is repeated unchanged would pass: Sphinx keeps the broken page. So: always afresh.
book: $(INSTALLED)  ## build the book from the chapters' stored outputs
	@rm -rf _build
	@.venv/bin/jupyter-book build . --quiet -n -W --keep-going
	@echo "The book is built. Open $(CURDIR)/_build/html/index.html"

pages: book  ## build the book and look at it in Chromium: figures against the records, and its print
	@$(PYTHON) tests/browser/pages.py _build/html

PYTEST_ARGUMENTS := --quiet -n auto --maxprocesses=4 --dist loadfile \
	--nbval-lax --nbval-current-env --nbval-cell-timeout=600 tests simpor book

# One thread of BLAS and OpenMP for each of pytest's processes: idle threads that wait actively for
# work take the processors of the other processes.
test: check  ## run the checks, the unit tests, every chapter, and a strict build of the book
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest $(PYTEST_ARGUMENTS)

processors: $(INSTALLED)  ## run what make test runs, with the arithmetic of other processors; takes hours
	@$(PYTHON) tests/processors.py $(PYTEST_ARGUMENTS)

check: $(INSTALLED)  ## look at the code without running it: rules, layout, types, docstrings
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --quiet --check .
	@$(PYTHON) -m mypy --no-error-summary
	@$(PYTHON) -m numpydoc lint simpor/*.py simpor/relatives/*.py simpor/lab/*.py

chapters: $(INSTALLED)  ## execute all chapters again and store their outputs
	@$(PYTHON) book/execute.py

study-small: $(INSTALLED)  ## record the comparison of chapters 8 to 10 again, in about two hours
	@$(PYTHON) -m simpor.lab.study --again --protocol published sound \
		--datasets moon-3 moon-7 breast-cancer-3 breast-cancer-7 credit-card-3 credit-card-7
	@$(PYTHON) -m simpor.lab.study --again --methods comparison controls \
		--datasets creditcard credit-card-10 credit-card-15

lab: $(INSTALLED)  ## open the chapters in JupyterLab
	@$(PYTHON) -m jupyterlab book

# All extras but gpu: PyTorch is not pinned, pyproject.toml says why.
EXTRAS := keras study book jupyter make test
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(PYTHON) -m uv pip compile pyproject.toml --quiet $(EXTRAS:%=--extra %) \
	--universal --fork-strategy fewest --python-version 3.11 --no-emit-index-url --no-emit-find-links

lock: $(INSTALLED)  ## pin the versions of requirements.txt anew from pyproject.toml, and their hashes
	@$(COMPILE) --upgrade --output-file requirements.txt
	@rm -f requirements-hashed.txt
	@$(COMPILE) --generate-hashes --no-annotate --constraint requirements.txt --output-file requirements-hashed.txt

lowest: $(INSTALLED)  ## run the unit tests on the lowest versions that pyproject.toml allows
	@$(PYTHON) -m uv run --quiet --no-project --isolated --python 3.11 --resolution lowest-direct \
		--with-editable '.[keras,study,test]' python -m pytest --quiet --ignore tests/book tests simpor

coverage: $(INSTALLED)  ## list the lines and branches of simpor that no test runs through
	@$(PYTHON) -m pytest --quiet -n auto --maxprocesses=4 --dist loadfile --cov=simpor tests simpor

mutants: $(INSTALLED)  ## change the module in hundreds of small ways and list what no test notices; takes long
	@OMP_NUM_THREADS=1 $(PYTHON) -m uv run --quiet --no-project --python $(PYTHON) --with 'cosmic-ray>=8.4,<9' \
		tests/mutants.py

audit: $(INSTALLED)  ## ask PyPI for known vulnerabilities of the pinned versions, and list their licences
	@$(PYTHON) -m uv tool run pip-audit --strict --disable-pip --progress-spinner off --requirement requirements-hashed.txt
	@$(PYTHON) -m uv tool run pip-licenses --python $(PYTHON) --order license

# In its own folder, where Python finds the installed wheel and not this checkout.
dist: $(INSTALLED)  ## build the distribution, check it, and run the README's example from the wheel
	@rm -rf dist
	@$(PYTHON) -m uv run --quiet --no-project --isolated --with build python -m build --quiet
	@$(PYTHON) -m uv run --quiet --no-project --isolated --with twine python -m twine check --strict dist/*
	@sed -n '/^```python$$/,/^```$$/{//!p}' README.md > dist/example.py
	@cd dist && ../$(PYTHON) -m uv run --quiet --no-project --isolated --with "$$(ls $(CURDIR)/dist/*.whl)[keras]" python example.py
	@rm dist/example.py

clean:  ## remove the environment and what was built
	rm -rf .venv _build dist

# Every file that is installed has a hash in requirements-hashed.txt, uv and what builds simpor included.
$(INSTALLED): requirements-hashed.txt pyproject.toml
	@test -n "$(PYTHON3)" && "$(PYTHON3)" -c '$(RIGHT_PYTHON)' || { \
		echo "simpor needs Python 3.11, 3.12 or 3.13: install one, or name it with make ... PYTHON3=/path/to/python" >&2; exit 1; }
	@"$(PYTHON3)" -m venv .venv || { \
		echo "This Python cannot make environments: install its venv module (on Debian and Ubuntu the package python3-venv)" >&2; exit 1; }
	@echo "Installing the pinned versions into .venv: a few minutes the first time."
	@awk '/^uv==/, !/\\$$/' requirements-hashed.txt > .venv/uv.txt
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement .venv/uv.txt
	@$(PYTHON) -m uv pip install --quiet --python $(PYTHON) --exact --no-deps --require-hashes --requirement requirements-hashed.txt
	@$(PYTHON) -m uv pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@$(PYTHON) -m uv pip check --quiet --python $(PYTHON)
	@touch $@
