//! Tests of the program as a user sees it: its output and its exit code.

mod support;
#[path = "../machine/mod.rs"]
mod machine;
mod layers;
mod usage;
mod build_failed;
mod bombs;
mod killed;
mod knowledge;
mod builds;
mod native;
mod surroundings;
mod archives;
mod folders;
mod attacks;
mod observed;
mod forged;
mod peers;
mod grading;
mod injection;
mod limits;
mod recorded;
mod report;
mod shorter;
mod out;
