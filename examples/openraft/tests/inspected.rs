//! The labs with every rule watched, on openraft with its own numbers of entries.

fn main() {
    tests::main(lab_openraft::make_inspected)
}
