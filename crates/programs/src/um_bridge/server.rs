//! A server for models.

use std::{
    fmt,
    io::{self, BufReader},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde::Serialize;

use crate::error::ProgramError;

use super::{
    http::{self, NoRequest},
    messages::{
        Failure, Info, InputSizes, ModelInfo, Output, OutputSizes, Reason, Request, Support,
        VERSION,
    },
    served::{Served, ServedError},
};

/// Connections at a time; a client beyond them is told to come again.
const CONNECTIONS: usize = 512;
/// How long a connection may rest.
const REST: Duration = Duration::from_mins(5);

/// A UM-Bridge server. Each connection has a thread, so models are evaluated in parallel.
///
/// It has no notion of who asks: let it listen on other addresses than those of this machine only where
/// everybody in the network may use the models.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    models: Vec<Box<dyn Served>>,
    connections: AtomicUsize,
    stop: AtomicBool,
}

/// Stops a [`Server`], from any thread.
#[derive(Clone)]
pub struct Stop {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A reply: its status, and its body as JSON.
type Reply = (u16, Vec<u8>);

impl Server {
    /// Listens at `address`, such as `"127.0.0.1:4242"`; port 0 is any free one.
    ///
    /// # Errors
    /// [`ProgramError::Listen`] when the address is taken or none of this machine.
    pub fn bind(address: &str, models: Vec<Box<dyn Served>>) -> Result<Self, ProgramError> {
        let failed = |source| ProgramError::Listen { address: address.to_owned(), source };
        let addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(failed)?.collect();
        let listener = TcpListener::bind(&addresses[..]).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (connections, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        Ok(Self { listener, address, shared: Arc::new(Shared { models, connections, stop }) })
    }

    /// The address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops it.
    pub fn stop(&self) -> Stop {
        Stop { address: self.address, shared: Arc::clone(&self.shared) }
    }

    /// Serves until it is stopped.
    pub fn run(&self) {
        for stream in self.listener.incoming() {
            if self.shared.stop.load(Ordering::Relaxed) {
                return;
            }
            let Ok(stream) = stream else {
                // Out of file descriptors, for example.
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            let shared = Arc::clone(&self.shared);
            // Without a thread the connection closes, and the client sees it.
            let _ = thread::Builder::new().name("um-bridge".to_owned()).spawn(move || {
                let busy = shared.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS;
                let _ = shared.converse(&stream, busy);
                shared.connections.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
}

impl Stop {
    /// Stops the server: it takes no new connection, and a connection ends with its present request.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the loop that waits for connections.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
    }
}

impl Shared {
    /// Answers the requests of one connection.
    fn converse(&self, mut stream: &TcpStream, busy: bool) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REST))?;
        let mut input = BufReader::new(stream);
        loop {
            let request = match http::read(&mut input, &mut stream) {
                Ok(request) => request,
                Err(NoRequest::Gone) => return Ok(()),
                Err(NoRequest::Bad(status, message)) => {
                    let (_, body) = failure(status, "BadRequest", message);
                    return http::write(&mut stream, status, &body, false);
                }
            };
            let (status, body) = if busy {
                failure(503, "Busy", "too many connections, come again")
            } else {
                self.reply(&request)
            };
            let stays = request.keep_alive && !busy && !self.stop.load(Ordering::Relaxed);
            http::write(&mut stream, status, &body, stays)?;
            if !stays {
                return Ok(());
            }
        }
    }

    fn reply(&self, request: &http::Request) -> Reply {
        if (request.method.as_str(), request.path.as_str()) == ("GET", "/Info") {
            let models = self.models.iter().map(|model| model.name().to_owned()).collect();
            return ok(&Info { version: VERSION, models });
        }
        if request.method != "POST" {
            return failure(404, "NotFound", "there is `GET /Info`; all else is POST");
        }
        let body: Request = match serde_json::from_slice(&request.body) {
            Ok(body) => body,
            Err(error) => return failure(400, "InvalidInput", &format!("the body: {error}")),
        };
        let Some(model) = self.models.iter().find(|model| model.name() == body.name) else {
            return failure(400, "ModelNotFound", &format!("there is no model `{}`", body.name));
        };
        match request.path.as_str() {
            "/InputSizes" => ok(&InputSizes { sizes: model.input_sizes() }),
            "/OutputSizes" => ok(&OutputSizes { sizes: model.output_sizes() }),
            "/ModelInfo" => {
                ok(&ModelInfo { support: Support { evaluate: true, ..Support::default() } })
            }
            "/Evaluate" => evaluate(model.as_ref(), &body),
            "/Gradient" | "/ApplyJacobian" | "/ApplyHessian" => {
                failure(400, "UnsupportedFeature", "this server only evaluates")
            }
            other => failure(404, "NotFound", &format!("there is no {other}")),
        }
    }
}

fn evaluate(model: &dyn Served, body: &Request) -> Reply {
    let Some(input) = &body.input else {
        return failure(400, "InvalidInput", "`input` is missing");
    };
    let (wanted, sizes) = (model.input_sizes(), input.iter().map(Vec::len).collect::<Vec<_>>());
    if sizes != wanted {
        let text = format!("the input has vectors of {sizes:?}, wanted {wanted:?}");
        return failure(400, "InvalidInput", &text);
    }
    // A panic is one lost evaluation, not a lost connection.
    let evaluate = std::panic::AssertUnwindSafe(|| model.evaluate(input, &body.config));
    let Ok(result) = std::panic::catch_unwind(evaluate) else {
        return failure(500, "Panicked", "the model panicked");
    };
    match result {
        Ok(output) => {
            let some = |vector: Vec<f64>| vector.into_iter().map(Some).collect();
            ok(&Output { output: output.into_iter().map(some).collect() })
        }
        Err(ServedError::Config(text)) => failure(400, "InvalidConfig", &text),
        Err(ServedError::NoOutput(text)) => failure(500, "NoOutput", &text),
    }
}

fn ok(body: &impl Serialize) -> Reply {
    match serde_json::to_vec(body) {
        Ok(body) => (200, body),
        Err(error) => failure(500, "InvalidOutput", &error.to_string()),
    }
}

fn failure(status: u16, kind: &str, message: &str) -> Reply {
    let error = Reason { kind: kind.to_owned(), message: message.to_owned() };
    (status, serde_json::to_vec(&Failure { error }).unwrap_or_default())
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop").field("address", &self.address).finish_non_exhaustive()
    }
}
