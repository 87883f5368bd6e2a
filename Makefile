# One line per target; the logic is in the tools. `make help` lists them.
PYTHON ?= python3
VENV   := .local/venv
SAM    := .local/sam
RELEASE := .local/release
LINT   := .local/lint
CARGO  ?= cargo
# One control of each service with remediations, the same as in `tests/src/binaries.rs`.
SAMPLED := cmk-backing-key-rotation-enabled cloud-trail-encryption-enabled cloudwatch-alarm-root-usage \
           config-recorder-healthy dynamodb-pitr-enabled elb-deletion-protection-enabled \
           iam-root-access-key-check lambda-function-public-access-prohibited \
           rds-instance-deletion-protection-enabled restricted-ssh s3-bucket-ssl-requests-only \
           sns-topic-no-public-access sqs-queue-no-public-access ssm-document-not-public
SAMPLE  := $(foreach id,$(SAMPLED),--bin $(id) --bin $(id)-remediation)
# The programs that the demo and the tests start: the functions, one program per service, and the tools.
RUNS    := --bin '*-functions' --bin rectify --bin rectify-local

# The site's builder and the wheel's, as tested.
MDBOOK  := .local/mdbook
MATURIN := .local/maturin

.DEFAULT_GOAL := help
.PHONY: help scan demo local programs sample test chaos attempts unused ci fmt fmt-check generate fresh template-lint new-control build release dist-size dist-cli wheel book pictures browser deny clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

scan: $(VENV)/.local ## scan a local account with violations in it: findings, and the calls that fix them
	$(CARGO) build --workspace --bin rectify --bin rectify-local
	target/debug/rectify-local scan

demo: $(VENV)/.local programs ## the whole loop on this machine: violations found, planned, fixed, verified, undone
	target/debug/rectify-local demo

local: $(VENV)/.local programs ## AWS Config on this machine, kept running, for use with the AWS CLI
	target/debug/rectify-local up

sample: ## build the two programs of one control of each service, as they are deployed
	$(CARGO) build --workspace $(SAMPLE)

programs: ## build the programs that the demo and the tests start
	$(CARGO) build --workspace $(RUNS)

# Tests wait for the emulator most of the time: two a core.
test: $(VENV)/.tests programs sample ## set up, build and run every test
	RUST_TEST_THREADS=$$((2 * $$(getconf _NPROCESSORS_ONLN))) $(CARGO) test --workspace --lib --test '*'
	$(CARGO) test --workspace --doc

chaos: ## random deliveries, deaths, edits and decisions against a model: make chaos RECTIFY_CHAOS_SEED=7 repeats a seed
	RECTIFY_CHAOS_SEED=$${RECTIFY_CHAOS_SEED:-$$(date +%s)} RECTIFY_CHAOS_DELIVERIES=$${RECTIFY_CHAOS_DELIVERIES:-20000} \
	  $(CARGO) test --workspace --test chaos -- --nocapture

attempts: $(VENV)/.tests programs sample ## keep the stored attempts of new controls and versions in the controls' folders
	RECTIFY_KEEP_ATTEMPTS=1 $(CARGO) test --workspace --test suite -- journeys::

unused: $(VENV)/.tests programs sample ## list the permissions that the lifecycle tests do not use, in tests/unused
	RECTIFY_KEEP_UNUSED=1 $(CARGO) test --workspace --test suite -- journeys::

ci: fmt-check test fresh template-lint dist-size ## what .ci/run runs

fmt: ## format the code
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all --check

generate: ## write template.yaml and the docs pages from the controls' declarations
	$(CARGO) run --quiet -p xtask -- generate

fresh:
	$(CARGO) build --workspace --bin xtask
	target/debug/xtask generate --check

template-lint: $(VENV)/.tests $(SAM)/.sam $(RELEASE)/.release $(LINT)/.lint ## the linters of the templates, sam validate, sam package, and a release of stubs
	$(LINT)/bin/python tests/python/lint_templates.py $(CURDIR)/$(VENV)/bin/cfn-lint
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM)/bin/sam validate --lint --template template.yaml
	$(VENV)/bin/python tests/python/sam_package.py $(CURDIR)/$(SAM)/bin/sam $(CURDIR)/$(VENV)/bin/moto_server
	$(RELEASE)/bin/python tests/python/release.py $(VENV)/bin/cfn-lint $(CURDIR)/$(VENV)/bin/moto_server
	$(CARGO) build --workspace --bin rectify
	$(VENV)/bin/python tests/python/publish.py target/debug/rectify $(CURDIR)/$(VENV)/bin/moto_server

new-control: ## scaffold a control: make new-control ARGS='ec2 my-id --title … --why … --type … --field …', or ARGS=--help
	$(CARGO) run -p xtask -- new-control $(ARGS)

build: ## the functions for deployment, in target/lambda/<binary>/bootstrap
	$(CARGO) run --quiet -p xtask -- package

release: build $(RELEASE)/.release ## the functions as zip files and the templates without a transform, in target/releases/<version>
	$(RELEASE)/bin/python deploy/release.py $(if $(VERSION),--version $(VERSION))

# The size limit for one rule: it has 5.81 MB now, its remediation 6.66. It had 5.17 when docs/measurements.md was written.
dist-size: ## build one rule as it is published, and fail if it is too large
	$(CARGO) run --quiet -p xtask -- package --profile dist --control iam-root-access-key-check --max-size 6800000

dist-cli: ## the command line as an archive with manual pages, completions and checksum, in target/dist
	$(CARGO) run --quiet -p xtask -- dist-cli

wheel: $(MATURIN)/.maturin ## the command line as a wheel for pipx and uv, in target/dist
	$(MATURIN)/bin/maturin build --manifest-path tools/rectify/Cargo.toml --profile dist --out target/dist

book: $(MDBOOK)/bin/mdbook ## the documentation as a site, in target/book/html
	$(CARGO) run --quiet -p xtask -- book
	$(MDBOOK)/bin/mdbook build target/book
	$(PYTHON) tests/python/site_links.py target/book/html

pictures: $(VENV)/.local programs ## what `make scan` and `make demo` show, as pictures in docs/images
	$(PYTHON) docs/images/terminal.py --title 'make scan' --output docs/images/scan.svg --paragraph 'Scan of account' \
	  --paragraph 's3-bucket-public-read-prohibited  S3' --paragraph 'restricted-ssh  Security' --paragraph findings: -- \
	  target/debug/rectify-local scan
	$(PYTHON) docs/images/terminal.py --title 'make demo' --output docs/images/demo.svg --paragraph 'SSH open over' \
	  --paragraph 'bucket readable by policy' --paragraph 'root user with' --paragraph 'as expected' -- \
	  target/debug/rectify-local demo

browser: ## examine the HTML report of a scan in Chromium, which is installed if it is absent
	command -v chromium >/dev/null || (apt-get update --quiet && apt-get install --yes --quiet chromium)
	$(PYTHON) tests/python/html_report.py

deny: ## check licenses, sources and banned crates of the dependencies (needs cargo-deny)
	$(CARGO) deny check bans licenses sources

clean: ## delete everything built or installed here
	rm -rf target .local

$(VENV)/.local: tools/local/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tools/local/requirements.txt
	touch $@

$(VENV)/.tests: tests/requirements.txt tools/local/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

$(LINT)/.lint: tests/requirements-lint.txt
	$(PYTHON) -m venv $(LINT)
	$(LINT)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements-lint.txt
	touch $@

$(SAM)/.sam: tests/requirements-sam.txt
	$(PYTHON) -m venv $(SAM)
	$(SAM)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements-sam.txt
	touch $@

$(RELEASE)/.release: tests/requirements-release.txt deploy/requirements.txt
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements-release.txt
	touch $@

$(MATURIN)/.maturin:
	$(PYTHON) -m venv $(MATURIN)
	$(MATURIN)/bin/pip install --quiet --disable-pip-version-check maturin==1.16.0
	touch $@

$(MDBOOK)/bin/mdbook:
	$(CARGO) install mdbook --locked --version 0.5.4 --root $(MDBOOK) --no-default-features
