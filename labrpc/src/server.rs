//! What answers calls: services with methods, gathered in a server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::error::CallError;
use crate::workers::Workers;

type RawHandler = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, CallError> + Send + Sync>;

/// Named methods that answer calls, such as `Raft` with `RequestVote` and `AppendEntries`.
///
/// ```
/// use labrpc::{Server, Service};
///
/// let service = Service::new("Echo").method("Twice", |text: String| format!("{text}{text}"));
/// let server = Server::from(service);
/// let reply = server.dispatch_raw("Echo.Twice", &labrpc::codec::encode("ab").unwrap()).unwrap();
/// assert_eq!(labrpc::codec::decode::<String>(&reply).unwrap(), "abab");
/// ```
pub struct Service {
    name: String,
    methods: BTreeMap<String, RawHandler>,
}

impl Service {
    /// A service without methods.
    pub fn new(name: impl Into<String>) -> Service {
        Service { name: name.into(), methods: BTreeMap::new() }
    }

    /// Adds a method that takes `Args` and gives `Reply`, both by value. Caller and handler must
    /// agree on the two types; a later method of the same name replaces an earlier one.
    #[must_use]
    pub fn method<Args, Reply>(
        self,
        name: &str,
        handler: impl Fn(Args) -> Reply + Send + Sync + 'static,
    ) -> Service
    where
        Args: DeserializeOwned,
        Reply: Serialize,
    {
        let method = format!("{}.{name}", self.name);
        self.insert(name, move |bytes| {
            let args = codec::decode(bytes)
                .map_err(|why| CallError::UndecodableArgs { method: method.clone(), why })?;
            codec::encode(&handler(args))
                .map_err(|why| CallError::UnencodableReply { method: method.clone(), why })
        })
    }

    /// Adds a method on the level of bytes, for one whose arguments are decoded elsewhere, such as
    /// in another process. An error is a bug, as for [`ClientEnd::call`](crate::ClientEnd::call),
    /// but for [`CallError::NoAnswer`]: whoever should have answered is gone.
    #[must_use]
    pub fn raw_method(
        self,
        name: &str,
        handler: impl Fn(&[u8]) -> Result<Vec<u8>, CallError> + Send + Sync + 'static,
    ) -> Service {
        self.insert(name, handler)
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its methods, in order.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.methods.keys().map(String::as_str)
    }

    fn insert(
        mut self,
        name: &str,
        handler: impl Fn(&[u8]) -> Result<Vec<u8>, CallError> + Send + Sync + 'static,
    ) -> Service {
        self.methods.insert(name.to_owned(), Arc::new(handler));
        self
    }
}

/// A set of services behind one name of the network, with one count of the calls that came in.
///
/// A handle: clones are the same server. A restarted server is a new object and counts from zero.
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
    /// A server that offers `services`; of two with one name the later counts. The threads that run
    /// its handlers get the `sim` label of the calling thread.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Server {
        let services = services.into_iter().map(|service| (service.name.clone(), service));
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
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        self.find(method)?(args)
    }

    /// The number of calls that came in, whatever became of them.
    pub fn count(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    fn find(&self, method: &str) -> Result<&RawHandler, CallError> {
        let (service_name, method_name) = method.rsplit_once('.').unwrap_or(("", method));
        let service =
            self.shared.services.get(service_name).ok_or_else(|| CallError::UnknownService {
                service: service_name.into(),
                method: method.into(),
                known: list_names(self.shared.services.keys()),
            })?;
        service.methods.get(method_name).ok_or_else(|| CallError::UnknownMethod {
            method: method.into(),
            known: list_names(service.methods.keys()),
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

fn list_names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        let service = |name: &str| Service::new(name).method("Length", |s: String| s.len() as u64);
        Server::new([service("A.B"), service("C")])
    }

    #[test]
    fn a_method_is_looked_up_behind_the_last_dot() {
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
    fn arguments_of_another_type_are_refused_by_name() {
        let error = server().dispatch_raw("C.Length", &[200]).unwrap_err();
        assert!(matches!(error, CallError::UndecodableArgs { .. }));
        assert!(error.to_string().starts_with("\"C.Length\" cannot read its arguments: "));
    }

    #[test]
    fn a_raw_method_sees_the_bytes_as_they_are() {
        let reversed = |bytes: &[u8]| Ok(bytes.iter().rev().copied().collect());
        let server = Server::from(Service::new("Raw").raw_method("Reverse", reversed));
        assert_eq!(server.dispatch_raw("Raw.Reverse", &[1, 2, 3]).unwrap(), [3, 2, 1]);
    }
}
