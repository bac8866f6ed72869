//! What a test gets: the implementation under test, a seed, and who keeps the verdict.

use std::sync::Arc;

use config::{Class, Config, Failure, FindingKind, Referee, Setup};
use raftapi::{Make, PeerContext, RaftPeer};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// One run of one test.
pub struct Lab {
    make: Make,
    seed: u64,
    referee: Referee,
    invariants: bool,
}

impl Lab {
    pub(crate) fn new(
        make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
        seed: u64,
        referee: Referee,
    ) -> Lab {
        Lab { make: Arc::new(make), seed, referee, invariants: true }
    }

    /// The same, with a watch on the rules of Raft or without.
    pub(crate) fn watched(self, invariants: bool) -> Lab {
        Lab { invariants, ..self }
    }

    /// A cluster of the implementation under test.
    pub(crate) fn make_config(&self, setup: Setup) -> Config {
        let setup = if self.invariants { setup } else { setup.without_invariants() };
        Config::new(&self.make, setup, self.seed, &self.referee)
    }

    /// What a test draws for itself, apart from what the cluster draws.
    pub(crate) fn rng(&self) -> ChaCha8Rng {
        self.stream(u64::MAX)
    }

    /// What one client thread of a test draws, whatever the others do meanwhile.
    pub(crate) fn client_rng(&self, client: usize) -> ChaCha8Rng {
        self.stream(u64::MAX - 1 - client as u64)
    }

    fn stream(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }

    /// Fails the test.
    pub(crate) fn fail(&self, class: Class, sentence: impl Into<String>) -> ! {
        self.referee.stop(Failure::new(class, sentence));
    }

    /// Notes something that is no failure but worth telling.
    pub(crate) fn find(&self, finding: String) {
        self.referee.find(finding);
    }

    /// The same, of a kind that has a name.
    pub(crate) fn note(&self, kind: FindingKind, sentence: String) {
        self.referee.note(kind, sentence);
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn referee(&self) -> &Referee {
        &self.referee
    }
}
