//! The names of the two engines.

/// What a simulated thread runs on.
///
/// Both engines run the same scheduler, so the same seed gives the same trace hash on either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Threads are fibers on one kernel thread. Linux on x86-64 only; elsewhere it means `Kernel`.
    Fiber,
    /// Each thread is a kernel thread that waits for its turn. Slower, but runs on any Linux; the
    /// fiber engine is checked against it.
    Kernel,
}

impl Engine {
    /// The engine that the environment variable `SIM_ENGINE` names (`fiber` or `kernel`). Without
    /// it, the fastest that the platform has.
    #[must_use]
    pub fn from_env() -> Engine {
        match std::env::var("SIM_ENGINE").as_deref() {
            Ok("kernel") => Engine::Kernel,
            _ => Engine::Fiber.or_available(),
        }
    }

    /// This engine if the platform has it, otherwise [`Engine::Kernel`].
    #[must_use]
    pub fn or_available(self) -> Engine {
        if cfg!(sim_fibers) { self } else { Engine::Kernel }
    }
}
