//! The labs, on openraft.

fn main() {
    tests::main(lab_openraft::make)
}
