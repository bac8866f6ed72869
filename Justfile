# `just` lists the recipes.
_default:
    @just --list --unsorted

# Run the labs on the reference; WORDS picks tests: `just lab re-election`
[group('student')]
lab WORDS="":
    cargo test --package tests --test labs -- {{ quote(WORDS) }}

# Start a Raft of your own in DIR
[group('student')]
new DIR:
    cargo grade new {{ quote(DIR) }}

# Grade the crates at PATHS
[group('staff')]
grade +PATHS:
    cargo grade {{ PATHS }}

# What CI runs
[group('dev')]
ci:
    .ci/run

# The reference must pass SEEDS seeds of every test, and EDGES seeds with edge preemption
[group('dev')]
soak SEEDS="1000" EDGES="100":
    cargo run --release --package tests --example soak -- 1 {{ SEEDS }}
    LAB_SEEDS={{ EDGES }} cargo explore --release

# A Raft that was not written here must pass SEEDS seeds, as a black box and with every rule watched
[group('dev')]
soak-tikv SEEDS="100":
    cd examples/tikv && LAB_SEEDS={{ SEEDS }} cargo test --release
    cd examples/tikv && LAB_SEEDS={{ SEEDS }} cargo test --release --test inspected -- \
        --skip "basic agree" --skip "rpc bytes" --skip "fail no agree"

# The same for raft-io; the tests that are left out show its faults
[group('dev')]
soak-raft-io SEEDS="500":
    cd examples/raft-io && LAB_SEEDS={{ SEEDS }} cargo test --release
    cd examples/raft-io && LAB_SEEDS={{ SEEDS }} cargo test --release --test inspected -- \
        --skip "figure 8 unreliable" --skip "unreliable churn"

# The same for openraft
[group('dev')]
soak-openraft SEEDS="500":
    cd examples/openraft && LAB_SEEDS={{ SEEDS }} cargo test --release --test labs
    cd examples/openraft && LAB_SEEDS={{ SEEDS }} cargo test --release --test inspected -- \
        --skip "basic agree" --skip "rpc bytes" --skip "fail no agree"

# What the labs cost with other allocators, and that every step is the same
[group('dev')]
allocators SEEDS="3":
    cd examples/allocators && LAB_SEEDS={{ SEEDS }} cargo test --release
    cd examples/allocators && cargo bench --bench figures -- {{ SEEDS }}

# Plant each known bug on a copy of the reference, and write bugs/matrix.json and bugs/matrix.md
[group('dev')]
bugs *ARGS="--all":
    cargo run --release --package bugs -- {{ ARGS }}

# Move the patches of known bugs onto the reference as it is now; BASE is a revision they apply to
[group('dev')]
rebase-bugs BASE:
    cargo run --release --package bugs -- --rebase {{ quote(BASE) }}

# Which mutants of the reference's rules survive SEEDS seeds of the labs: see bugs/mutants.md
[group('dev')]
mutants SEEDS="3" *ARGS:
    LAB_SEEDS={{ SEEDS }} LAB_FAIL_FAST=on nice cargo mutants --baseline=skip --timeout 150 \
        --output target {{ ARGS }}

# Whether crates, folders and files import one another as ARCHITECTURE.md draws it
[group('dev')]
structure *ARGS:
    cargo structure {{ ARGS }}

# What it takes to grade N variants of the skeleton and the reference: time, memory, threads
[group('dev')]
grade-many N="50":
    cargo build --release --package grade --bin cargo-grade
    cargo run --release --package grade --example many -- {{ N }}

# What `soak` does, in real time, which takes minutes a seed
[group('dev')]
soak-real SEEDS="5":
    LAB_CLOCK=real LAB_SEEDS={{ SEEDS }} cargo test --release --package tests --test labs

# What each test costs, and what the simulator does
[group('dev')]
figures SEEDS="5":
    cargo run --release --package tests --example figures -- --seeds {{ SEEDS }}
    cargo run --release --package sim --example figures
    cargo run --release --package labrpc --example calls

# Runs of one seed must be one run: alone, beside load, in fresh processes, on both engines
[group('dev')]
determinism RUNS="200":
    cargo run --release --package sim --example determinism {{ RUNS }}

# Accept the grader's output, the runs of fixed seeds and the output of scripts as they are now
[group('dev')]
bless:
    INSTA_UPDATE=always UPDATE_GOLDENFILES=1 cargo test --package grade --package tests \
        --package watch --package raft
