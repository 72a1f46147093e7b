# Bare machine: git, make, Python 3.11 and a package registry. `make demo` and `make test` need nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
export OMP_NUM_THREADS := 1

.PHONY: help setup setup-test demo test check format lint types unit browser-deps lock clean

help:  ## 列出命令
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(VENV)/.ready  ## 建立运行环境（.venv，按哈希锁定）

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "需要 Python 3.11 或更新版本")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

setup-test: $(VENV)/.ready-test  ## 另装测试所需

$(VENV)/.ready-test: $(VENV)/.ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

demo: setup  ## 建演示省（虚构数据），跑完整链条并打开页面；SERVE=0 只跑不开
	$(BIN)/python -m demo --serve $(SERVE)

test: check  ## 与 CI 相同：格式、检查、类型、导入约定、全部测试

check: setup-test browser-deps lint types
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: setup-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: setup-test
	$(BIN)/mypy

browser-deps:  # Chromium is a system package; where it cannot be had the browser tests say so and skip
	@sh tests/install_chromium.sh

format: setup-test  ## 整理代码格式
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:  ## 重新解析依赖锁（需 uv）
	uv pip compile pyproject.toml --universal --extra postgres --generate-hashes --no-header --no-annotate --python-version 3.11 -o requirements.lock
	uv pip compile pyproject.toml --universal --all-extras --group test --group lint --group bench --generate-hashes --no-header --no-annotate --python-version 3.11 -c requirements.lock -o requirements-dev.lock
