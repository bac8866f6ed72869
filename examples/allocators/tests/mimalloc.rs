//! The labs on the reference Raft, with `mimalloc` as its allocator.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    tests::main(raft::make)
}
