//! A server of the network: its services, and the threads that run their handlers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::CallError;
use crate::service::{Described, RawMethod, Service};
use crate::value::Value;

use super::workers::Workers;

/// The services under one name of the network, with one count of the calls that came in: 6.824's
/// `labrpc.Server`.
///
/// It is a handle: clones are the same server. A restarted server is a new object and counts from
/// zero.
///
/// ```
/// use labrpc::network::Server;
/// use labrpc::{Service, codec};
///
/// let service = Service::new("Echo").method("Twice", |text: String| format!("{text}{text}"));
/// let server = Server::from(service);
/// let reply = server.dispatch_raw("Echo.Twice", &codec::encode("ab").unwrap()).unwrap();
/// assert_eq!(codec::decode::<String>(&reply).unwrap(), "abab");
/// ```
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    services: BTreeMap<String, Service>,
    calls: AtomicU64,
    workers: Workers,
}

impl Server {
    /// A server that offers `services`. Of two services with the same name the later one counts.
    /// The threads that run its handlers get the `sim` label of the calling thread.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Server {
        let services = services.into_iter().map(|service| (service.name().to_owned(), service));
        let shared = Shared {
            services: services.collect(),
            calls: AtomicU64::new(0),
            workers: Workers::new(),
        };
        Server { shared: Arc::new(shared) }
    }

    /// Runs the handler of `method` (`Service.Method`, split at the last dot) on the calling
    /// thread. The call counts even if there is no such method.
    ///
    /// # Errors
    /// [`CallError::UnknownService`] and [`CallError::UnknownMethod`] with the names that are
    /// known, [`CallError::UndecodableArgs`], [`CallError::UnencodableReply`].
    pub fn dispatch_raw(&self, method: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        self.dispatch(method, args, None)
    }

    /// The same, and describes the reply.
    pub fn dispatch_described(
        &self,
        method: &str,
        args: &[u8],
    ) -> (Result<Vec<u8>, CallError>, Option<Value>) {
        let mut value = None;
        let result = self.dispatch(method, args, Some(&mut value));
        (result, value)
    }

    /// The same; the description goes to `described`.
    pub(crate) fn dispatch(
        &self,
        method: &str,
        args: &[u8],
        described: Described<'_>,
    ) -> Result<Vec<u8>, CallError> {
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        self.find(method)?(args, described)
    }

    /// The number of calls that came in, whether or not they were answered.
    pub fn count(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    fn find(&self, method: &str) -> Result<&RawMethod, CallError> {
        let (service_name, method_name) = method.rsplit_once('.').unwrap_or(("", method));
        let service =
            self.shared.services.get(service_name).ok_or_else(|| CallError::UnknownService {
                service: service_name.into(),
                method: method.into(),
                known: list_names(self.shared.services.keys().map(String::as_str)),
            })?;
        service.find(method_name).ok_or_else(|| CallError::UnknownMethod {
            method: method.into(),
            known: list_names(service.methods()),
        })
    }

    pub(crate) fn is(&self, other: &Server) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    pub(crate) fn workers(&self) -> &Workers {
        &self.shared.workers
    }
}

impl From<Service> for Server {
    fn from(service: Service) -> Server {
        Server::new([service])
    }
}

fn list_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use crate::codec;

    use super::*;

    fn server() -> Server {
        let service = |name: &str| Service::new(name).method("Length", |s: String| s.len() as u64);
        Server::new([service("A.B"), service("C")])
    }

    #[test]
    fn the_name_of_a_method_begins_after_the_last_dot() {
        let args = codec::encode("four").unwrap();
        let reply = server().dispatch_raw("A.B.Length", &args).unwrap();
        assert_eq!(codec::decode::<u64>(&reply).unwrap(), 4);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones_and_counts() {
        let server = server();
        let error = |method| server.dispatch_raw(method, &[]).unwrap_err().to_string();
        assert_eq!(
            error("D.Length"),
            "unknown service \"D\" in a call of \"D.Length\"; the server offers A.B, C"
        );
        assert_eq!(error("C.Size"), "unknown method \"C.Size\"; the service offers Length");
        assert_eq!(
            error("Length"),
            "unknown service \"\" in a call of \"Length\"; the server offers A.B, C"
        );
        assert_eq!(server.count(), 3);
    }

    #[test]
    fn arguments_of_the_wrong_type_are_an_error_that_names_the_method() {
        let error = server().dispatch_raw("C.Length", &[200]).unwrap_err();
        assert!(matches!(error, CallError::UndecodableArgs { .. }));
        assert!(error.to_string().starts_with("\"C.Length\" cannot read its arguments: "));
    }

    #[test]
    fn a_raw_method_gets_the_encoded_bytes() {
        let reversed = |bytes: &[u8]| Ok(bytes.iter().rev().copied().collect());
        let server = Server::from(Service::new("Raw").raw_method("Reverse", reversed));
        assert_eq!(server.dispatch_raw("Raw.Reverse", &[1, 2, 3]).unwrap(), [3, 2, 1]);
    }
}
