# `just` lists the recipes.
_default:
    @just --list --unsorted

# Run the labs on the reference; WORDS selects tests: `just lab re-election`
[group('student')]
lab WORDS="":
    cargo test --package tests --test labs -- {{ quote(WORDS) }}

# Create a new project for your own Raft in DIR
[group('student')]
new DIR:
    cargo grade new {{ quote(DIR) }}

# Grade the crates at PATHS
[group('staff')]
grade +PATHS:
    cargo grade {{ PATHS }}

# Build and test the page of a run in Chromium; needs node and npm
[group('dev')]
page:
    report/web/check

# Run everything that CI runs
[group('dev')]
ci:
    .ci/run

# Run every test on the reference with SEEDS seeds, and with EDGES seeds and switches at edges
[group('dev')]
soak SEEDS="1000" EDGES="100":
    cargo run --release --package tests --example soak -- 1 {{ SEEDS }}
    LAB_SEEDS={{ EDGES }} cargo explore --release

# Run SEEDS seeds on the Raft of TiKV, as a black box and with all rules checked
[group('dev')]
soak-tikv SEEDS="100":
    cd examples/tikv && LAB_SEEDS={{ SEEDS }} cargo test --release
    cd examples/tikv && LAB_SEEDS={{ SEEDS }} cargo test --release --test inspected -- \
        --skip "basic agree" --skip "rpc bytes" --skip "fail no agree"

# Run SEEDS seeds on raft-io; the tests that are left out show its faults
[group('dev')]
soak-raft-io SEEDS="500":
    cd examples/raft-io && LAB_SEEDS={{ SEEDS }} cargo test --release
    cd examples/raft-io && LAB_SEEDS={{ SEEDS }} cargo test --release --test inspected -- \
        --skip "figure 8 unreliable" --skip "unreliable churn"

# Run SEEDS seeds on openraft
[group('dev')]
soak-openraft SEEDS="500":
    cd examples/openraft && LAB_SEEDS={{ SEEDS }} cargo test --release --test labs
    cd examples/openraft && LAB_SEEDS={{ SEEDS }} cargo test --release --test inspected -- \
        --skip "basic agree" --skip "rpc bytes" --skip "fail no agree"

# Measure the labs with other allocators, and check that every step is the same
[group('dev')]
allocators SEEDS="3":
    cd examples/allocators && LAB_SEEDS={{ SEEDS }} cargo test --release
    cd examples/allocators && cargo bench --bench figures -- {{ SEEDS }}

# Apply each known bug to a copy of the reference, run the labs, and write bugs/matrix.*
[group('dev')]
bugs *ARGS="--all":
    cargo run --release --package bugs -- {{ ARGS }}

# Move the patches of known bugs to the current reference; they apply to the git revision BASE
[group('dev')]
rebase-bugs BASE:
    cargo run --release --package bugs -- --rebase {{ quote(BASE) }}

# Find mutants of the reference's rules that survive SEEDS seeds of the labs: see bugs/mutants.md
[group('dev')]
mutants SEEDS="3" *ARGS:
    LAB_SEEDS={{ SEEDS }} LAB_FAIL_FAST=on LAB_TIMELINE=never nice cargo mutants --baseline=skip --timeout 150 \
        --output target {{ ARGS }}

# Check that crates, folders and files import one another as ARCHITECTURE.md draws it
[group('dev')]
structure *ARGS:
    cargo structure {{ ARGS }}

# Measure the grading of N variants of the skeleton and the reference: time, memory, threads
[group('dev')]
grade-many N="50":
    cargo build --release --package grade --bin cargo-grade
    cargo run --release --package grade --example many -- {{ N }}

# Run SEEDS seeds in real time, which takes minutes for each seed
[group('dev')]
soak-real SEEDS="5":
    LAB_CLOCK=real LAB_SEEDS={{ SEEDS }} cargo test --release --package tests --test labs

# Measure the cost of each test, of the simulator and of a call
[group('dev')]
figures SEEDS="5":
    cargo run --release --package tests --example figures -- --seeds {{ SEEDS }}
    cargo run --release --package sim --example figures
    cargo run --release --package labrpc --example calls

# Check that one seed gives one run: alone, under load, in fresh processes, on both engines
[group('dev')]
determinism RUNS="200":
    cargo run --release --package sim --example determinism {{ RUNS }}

# Accept the current output of the grader and of scripts, and the current runs of fixed seeds
[group('dev')]
bless:
    INSTA_UPDATE=always UPDATE_GOLDENFILES=1 cargo test --package grade --package tests \
        --package watch --package raft
