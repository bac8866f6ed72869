//! What a test gets: the implementation under test, a seed, and the referee.

use std::sync::Arc;

use choice::{Choices, Stream};
use config::{Class, Config, Failure, FindingKind, Referee, Setup};
use history::History;
use raftapi::{Make, PeerContext, RaftPeer};
use record::Recorder;

/// One run of one test.
pub struct Lab {
    make: Make,
    seed: u64,
    referee: Referee,
    invariants: bool,
    recorder: Option<Recorder>,
    choices: Choices,
}

impl Lab {
    pub(crate) fn new(
        make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
        seed: u64,
        referee: Referee,
    ) -> Lab {
        Lab {
            make: Arc::new(make),
            seed,
            referee,
            invariants: true,
            recorder: None,
            choices: Choices::drawn(),
        }
    }

    /// The same run, with or without checks of the rules of Raft.
    pub(crate) fn watched(self, invariants: bool) -> Lab {
        Lab { invariants, ..self }
    }

    /// The same run with a recorder.
    pub(crate) fn recorded(self, recorder: Option<Recorder>) -> Lab {
        Lab { recorder, ..self }
    }

    /// The same run with these choices.
    pub(crate) fn choosing(self, choices: Choices) -> Lab {
        Lab { choices, ..self }
    }

    /// Makes a cluster of the implementation under test.
    pub fn make_config(&self, setup: Setup) -> Config {
        let setup = if self.invariants { setup } else { setup.without_invariants() };
        let history = History::new();
        if let Some(recorder) = &self.recorder {
            recorder.read(setup.servers, &history);
        }
        let (make, referee) = (&self.make, &self.referee);
        Config::choosing(make, setup, self.seed, referee, &history, &self.choices)
    }

    /// The random numbers of the test, independent of those of the cluster.
    pub fn rng(&self) -> Stream {
        self.stream(u64::MAX)
    }

    /// The random numbers of one client thread, independent of those of the other threads.
    pub fn client_rng(&self, client: usize) -> Stream {
        self.stream(u64::MAX - 1 - client as u64)
    }

    fn stream(&self, stream: u64) -> Stream {
        self.choices.stream(self.seed, stream)
    }

    /// Fails the test.
    pub fn fail(&self, class: Class, sentence: impl Into<String>) -> ! {
        self.referee.stop(Failure::new(class, sentence));
    }

    /// Like [`Lab::fail`], and says where to look for the cause: a place in an implementation, what
    /// must hold there, and the section of the paper.
    pub fn fail_at(&self, class: Class, sentence: impl Into<String>, look: &str) -> ! {
        self.referee.stop(Failure::new(class, sentence).with_look(look));
    }

    /// Reports a finding: something that is worth reporting but is no failure.
    pub fn find(&self, finding: String) {
        self.referee.find(finding);
    }

    /// Reports a finding of a named kind.
    pub fn note(&self, kind: FindingKind, sentence: String) {
        self.referee.note(kind, sentence);
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The referee of the run, for threads that outlive a borrow of the lab.
    pub fn referee(&self) -> &Referee {
        &self.referee
    }
}
