//! The network from outside: 6.824's own tests, the faults, the interceptors, and ends without a
//! network.

mod support;
mod pair;
mod original;
mod faults;
mod intercept;
mod carried;
