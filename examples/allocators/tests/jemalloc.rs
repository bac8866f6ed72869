//! The labs on the reference Raft, with `jemalloc` as its allocator.

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    tests::main(raft::make)
}
