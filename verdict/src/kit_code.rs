//! Which code belongs to the kit. A report never names such code as the place where a thread of an
//! implementation stands.

/// The code of one crate of the kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KitCode {
    /// The crate's name, as in a backtrace.
    pub crate_name: &'static str,
    /// The end of the path of its source folder, with slashes. It identifies an inlined call, since
    /// that has the name of its caller.
    pub folder: &'static str,
}

impl KitCode {
    /// This crate and its dependencies in the kit. The crates above register themselves with the
    /// [`Referee`](crate::Referee).
    pub(crate) const BELOW: [KitCode; 5] = [
        KitCode { crate_name: "sim", folder: "/sim/src/" },
        KitCode { crate_name: "labrpc", folder: "/labrpc/src/" },
        KitCode { crate_name: "raftapi", folder: "/raftapi/src/" },
        KitCode { crate_name: "history", folder: "/history/src/" },
        KitCode { crate_name: "verdict", folder: "/verdict/src/" },
    ];

    /// Whether a function of this name, at this place in the sources, belongs to the crate.
    pub(crate) fn holds(&self, name: &str, file: &str) -> bool {
        let of_crate = name.trim_start_matches('<').strip_prefix(self.crate_name);
        file.contains(self.folder) || of_crate.is_some_and(|rest| rest.starts_with("::"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_kit_is_recognized_by_its_crate_or_its_folder() {
        let code = KitCode { crate_name: "peer", folder: "/grade/peer/src/" };
        assert!(code.holds("peer::server::Server::ask", "/elsewhere/src/x.rs:1:1"));
        assert!(code.holds("<peer::calls::Calls as Caller>::call", "/elsewhere/src/x.rs:1:1"));
        assert!(code.holds("core::ops::call_once", "/kit/grade/peer/src/server.rs:1:1"));
        assert!(!code.holds("peerless::Raft::tick", "/home/ada/peer/src/raft.rs:1:1"));
    }
}
