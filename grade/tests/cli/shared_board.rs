//! This is no Raft: the servers share their terms and their log in a static. They replicate and
//! save nothing. They call each other all the time, so that messages are in flight. A server does
//! nothing while no majority answers it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use labrpc::{ClientEnd, Service};
use parking_lot::Mutex;
use raftapi::{ApplyMsg, PeerContext, RaftPeer, Started};

const PING_INTERVAL: Duration = Duration::from_millis(50);
const HEARD_LIMIT: Duration = Duration::from_millis(200);
const LEADER_LIMIT: Duration = Duration::from_millis(400);

static BOARD: Mutex<Board> =
    Mutex::new(Board { term: 0, leader: 0, beat: None, log: Vec::new(), committed: 0 });

struct Board {
    term: u64,
    leader: usize,
    beat: Option<Instant>,
    log: Vec<(Instant, Vec<u8>)>,
    committed: usize,
}

struct Peer {
    me: usize,
    heard: Mutex<Vec<Option<Instant>>>,
    seen: Mutex<(u64, bool)>,
    killed: AtomicBool,
}

pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    let peer = Arc::new(Peer {
        me: context.me,
        heard: Mutex::new(vec![None; context.ends.len()]),
        seen: Mutex::new((0, false)),
        killed: AtomicBool::new(false),
    });
    for (server, end) in context.ends.into_iter().enumerate() {
        if server != peer.me {
            let peer = Arc::clone(&peer);
            thread::spawn(move || peer.ping(server, &end));
        }
    }
    let (ticking, applying) = (Arc::clone(&peer), Arc::clone(&peer));
    thread::spawn(move || {
        while !ticking.killed.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20 + 7 * ticking.me as u64));
            ticking.tick();
        }
    });
    thread::spawn(move || {
        let mut applied = 0;
        while !applying.killed.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
            let new = match applying.hears_a_majority() {
                true => {
                    let board = BOARD.lock();
                    board.log[applied..board.committed].to_vec()
                }
                false => Vec::new(),
            };
            for (_, command) in new {
                applied += 1;
                let message = ApplyMsg::Command { index: applied as u64, command };
                if context.apply.send(message).is_err() {
                    return;
                }
            }
        }
    });
    peer
}

impl Peer {
    fn ping(self: Arc<Self>, server: usize, end: &ClientEnd) {
        while !self.killed.load(Ordering::Relaxed) {
            let (end, peer) = (end.clone(), Arc::clone(&self));
            thread::spawn(move || {
                let sent = Instant::now();
                if end.call::<_, u64>("Raft.Ping", &0_u64).is_ok() {
                    peer.heard.lock()[server] = Some(sent);
                }
            });
            thread::sleep(PING_INTERVAL);
        }
    }

    fn heard_since(&self, since: Instant) -> usize {
        self.heard.lock().iter().filter(|heard| heard.is_some_and(|at| at >= since)).count()
    }

    fn hears_a_majority(&self) -> bool {
        let servers = self.heard.lock().len();
        Instant::now()
            .checked_sub(HEARD_LIMIT)
            .is_some_and(|since| self.heard_since(since) >= servers / 2)
    }

    fn tick(&self) {
        if !self.hears_a_majority() {
            return;
        }
        let (now, servers) = (Instant::now(), self.heard.lock().len());
        let mut board = BOARD.lock();
        if board.leader == self.me && board.term > 0 {
            board.beat = Some(now);
            while let Some((since, _)) = board.log.get(board.committed)
                && self.heard_since(*since) >= servers / 2
            {
                board.committed += 1;
            }
        } else if board.beat.is_none_or(|beat| now - beat > LEADER_LIMIT) {
            board.term += 1;
            (board.leader, board.beat) = (self.me, Some(now));
        }
        *self.seen.lock() = (board.term, board.leader == self.me);
    }
}

impl RaftPeer for Peer {
    fn service(self: Arc<Self>) -> Service {
        Service::new("Raft").method("Ping", |_: u64| 0_u64)
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        let mut board = BOARD.lock();
        if !self.seen.lock().1 || board.leader != self.me {
            return None;
        }
        board.log.push((Instant::now(), command));
        Some(Started { index: board.log.len() as u64, term: board.term })
    }

    fn get_state(&self) -> (u64, bool) {
        *self.seen.lock()
    }

    fn kill(&self) {
        self.killed.store(true, Ordering::Relaxed);
    }
}
