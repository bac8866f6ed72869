//! No code. The dependencies of this crate are the crates that a submission may use.
