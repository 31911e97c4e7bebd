//! UM-Bridge: our client and our server with each other, and with replies written by hand.

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{batch, inputs, outputs, run};
use inputs::{Inputs, Normal};
use nalgebra::DMatrixView;
use programs::{
    ModelConfig, OutputsConfig, ProgramError, Served, ServedError, ServedFn, ServedModel, Server,
    Stop, UmBridgeModel,
};
use sim_core::{Evaluations, FailureKind, Feature, Model, ModelError};

/// A server in a thread, which stops when it is dropped.
struct Running(Stop, SocketAddr, Option<thread::JoinHandle<()>>);

impl Running {
    fn new(models: Vec<Box<dyn Served>>) -> Self {
        let server = Server::bind("127.0.0.1:0", models).unwrap();
        let (stop, address) = (server.stop(), server.address());
        Self(stop, address, Some(thread::spawn(move || server.run())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop();
        self.2.take().unwrap().join().unwrap();
    }
}

fn config(address: SocketAddr, more: &str) -> ModelConfig {
    toml::from_str(&format!("um_bridge = 'http://{address}'\n{more}")).unwrap()
}

fn connect(address: SocketAddr, more: &str) -> Result<UmBridgeModel, ProgramError> {
    UmBridgeModel::connect("remote", &config(address, more), inputs(), outputs())
}

/// `y = 1000 x + seed`; no outcome at 3, a panic at 5.
struct Linear(Inputs, [Feature; 1]);

impl Model for Linear {
    fn name(&self) -> &'static str {
        "forward"
    }
    fn inputs(&self) -> &Inputs {
        &self.0
    }
    fn outputs(&self) -> &[Feature] {
        &self.1
    }
    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.check(w, seeds)?;
        assert!(w[0] < 5.0, "a panic on purpose");
        Ok(Evaluations::from_outputs(
            w.map(|x| if (x - 3.0).abs() < 0.5 { f64::NAN } else { 1000.0 * x + seeds[0] as f64 }),
        ))
    }
}

#[test]
fn our_client_gets_from_our_server_what_the_model_says() {
    let model = Linear(inputs(), [Feature::new("y", "1")]);
    let server = Running::new(vec![Box::new(ServedModel(model))]);
    let remote = connect(server.1, "workers = 3").unwrap();
    for _ in 0..2 {
        let results = run(&remote, 6).unwrap();
        for i in [0, 1, 2, 4] {
            assert_eq!(results[i], Ok(1001.0 * i as f64));
        }
        for (i, part) in [(3, "NaN"), (5, "panicked")] {
            let (kind, message) = results[i].clone().unwrap_err();
            assert_eq!(kind, FailureKind::Reported);
            assert!(message.contains(part), "{message}");
        }
    }
    let workers = remote.workers();
    assert_eq!((workers.total, workers.busy, workers.lost), (3, 0, 0));
}

#[test]
fn several_vectors_and_settings_travel() {
    let function = |input: &[Vec<f64>], config: &serde_json::Map<String, serde_json::Value>| {
        let factor = config.get("factor").and_then(serde_json::Value::as_f64);
        let factor = factor.ok_or_else(|| ServedError::Config("`factor` is missing".to_owned()))?;
        Ok(vec![vec![factor * input[0][0]], vec![input[1][1], input[1][0]]])
    };
    let served = ServedFn::new("forward", vec![1, 2], vec![1, 2], function);
    let server = Running::new(vec![Box::new(served)]);
    let normal = Normal::new(0.0, 1.0).unwrap();
    let three = ["a", "b", "c"]
        .into_iter()
        .fold(Inputs::builder(), |b, name| b.input(name, "1", normal))
        .build()
        .unwrap();
    let features = ["p", "q", "r"].map(|name| Feature::new(name, "1")).to_vec();
    let outputs = OutputsConfig::new(features).unwrap();
    let connect = |more: &str| {
        let config = config(server.1, more);
        UmBridgeModel::connect("x", &config, three.clone(), outputs.clone()).unwrap()
    };
    let w = nalgebra::dmatrix![1.0; 2.0; 3.0];
    let remote = connect("config = { factor = 0.1 }");
    let result = remote.evaluate(w.as_view(), &[1]).unwrap();
    assert_eq!(result.outputs.as_slice(), [0.1, 3.0, 2.0]);
    let result = connect("").evaluate(w.as_view(), &[1]).unwrap();
    let text = format!("{:?}", result.statuses[0]);
    assert!(text.contains("BadAnswer") && text.contains("`factor` is missing"), "{text}");
}

#[test]
fn servers_that_do_not_fit_are_errors() {
    let served = |name: &str, inputs: usize| {
        let function = |_: &[Vec<f64>], _: &_| Ok(vec![vec![1.0]]);
        ServedFn::new(name, vec![inputs], vec![1], function)
    };
    let server = Running::new(vec![Box::new(served("forward", 2)), Box::new(served("b", 1))]);
    let text = |more: &str| connect(server.1, more).unwrap_err().to_string();
    assert!(text("").contains("has 2 inputs (in vectors of [2]), the model's file names 1"));
    assert!(text("name = 'c'").contains("no model `c`; it has `forward`, `b`"));
    assert!(connect(server.1, "name = 'b'").is_ok());

    for (url, part) in [
        ("https://localhost:1", "only `http://`"),
        ("localhost:4242", "begins with `http://`"),
        ("http://", "um_bridge"),
        // The port of nothing.
        ("http://127.0.0.1:1", "no UM-Bridge server answers"),
    ] {
        let config: ModelConfig = toml::from_str(&format!("um_bridge = '{url}'")).unwrap();
        let error = UmBridgeModel::connect("x", &config, inputs(), outputs()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let taken = Server::bind(&server.1.to_string(), Vec::new()).unwrap_err();
    assert!(matches!(taken, ProgramError::Listen { .. }));
}

/// A server that answers questions about itself as a server should, and each evaluation with these bytes. An
/// empty reply closes the connection; no reply at all waits.
fn by_hand(info: &'static str, reply: Option<&'static str>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let evaluations = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || converse(&stream, info, reply, &count));
        }
    });
    (address, evaluations)
}

fn converse(mut stream: &TcpStream, info: &str, reply: Option<&str>, count: &AtomicUsize) {
    let mut input = BufReader::new(stream);
    loop {
        let (mut path, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if input.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if path.is_empty() {
                line.split(' ').nth(1).unwrap().clone_into(&mut path);
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        input.read_exact(&mut vec![0; length]).unwrap();
        let body = match path.as_str() {
            "/Info" => info,
            "/ModelInfo" => r#"{"support": {"Evaluate": true}}"#,
            "/InputSizes" => r#"{"inputSizes": [1]}"#,
            "/OutputSizes" => r#"{"outputSizes": [1]}"#,
            _ => {
                count.fetch_add(1, Ordering::Relaxed);
                match reply {
                    Some(reply) => stream.write_all(reply.as_bytes()).unwrap(),
                    None => thread::sleep(Duration::from_secs(30)),
                }
                return;
            }
        };
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(head.as_bytes()).unwrap();
    }
}

const INFO: &str = r#"{"protocolVersion": 1.0, "models": ["forward"]}"#;

#[test]
fn other_versions_and_other_servers_are_errors() {
    for (info, part) in [
        (r#"{"protocolVersion": 0.9, "models": ["forward"]}"#, "version 0.9"),
        (r#"{"models": []}"#, "no UM-Bridge server?"),
        ("<html>", "no UM-Bridge server?"),
    ] {
        let error = connect(by_hand(info, None).0, "").unwrap_err();
        assert!(matches!(error, ProgramError::Protocol { .. }));
        assert!(error.to_string().contains(part), "{error}");
    }
    // Listens, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = connect(listener.local_addr().unwrap(), "timeout = '300ms'").unwrap_err();
    assert!(matches!(error, ProgramError::SlowServer { .. }), "{error}");
}

#[test]
fn broken_replies_are_statuses() {
    let cases = [
        // Complete replies: the sample has no outcome, and nothing is tried again.
        ("200 OK", r#"{"output": [[1.5, 2.0]]}"#, 0, Some((FailureKind::BadAnswer, "[2]"))),
        ("200 OK", r#"{"output": 3}"#, 0, Some((FailureKind::BadAnswer, "invalid type"))),
        ("200 OK", "half a {", 0, Some((FailureKind::BadAnswer, "half a {"))),
        ("200 OK", r#"{"output": [[NaN]]}"#, 0, Some((FailureKind::NotFinite, "`y`"))),
        (
            "500 Error",
            r#"{"error": {"type": "Diverged", "message": "no luck"}}"#,
            0,
            Some((FailureKind::Reported, "Diverged: no luck")),
        ),
        (
            "400 Bad Request",
            r#"{"error": {"type": "InvalidInput", "message": "too many"}}"#,
            0,
            Some((FailureKind::BadAnswer, "too many")),
        ),
        ("200 OK", r#"{"output": [[1.5]]}"#, 0, None),
        ("500 Error", "trouble", 0, Some((FailureKind::Crashed, "status 500"))),
        ("404 Not Found", "what?", 0, Some((FailureKind::BadAnswer, "status 404"))),
        // Tried again, once.
        ("503 Busy", "later", 0, Some((FailureKind::Crashed, "status 503"))),
        ("200 OK", r#"{"output": [[1.5]]}"#, 10, Some((FailureKind::Crashed, "does not reply"))),
    ];
    for (status, body, missing, expected) in cases {
        let length = body.len() + missing;
        let reply = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let (address, count) = by_hand(INFO, Some(reply.leak()));
        let remote = connect(address, "workers = 1\nretries = 1").unwrap();
        let result = run(&remote, 1).unwrap().remove(0);
        let Some((kind, part)) = expected else {
            assert_eq!(result, Ok(1.5));
            continue;
        };
        let (found, message) = result.unwrap_err();
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(part), "{message}");
        let again = kind == FailureKind::Crashed && !message.contains("status 500");
        let tries = if again { 2 } else { 1 };
        assert_eq!(count.load(Ordering::Relaxed), tries, "{message}");
    }
}

#[test]
fn a_slow_server_is_a_time_out_and_a_dead_one_stops_the_run() {
    let (address, _) = by_hand(INFO, None);
    let remote = connect(address, "workers = 1\nretries = 0\ntimeout = '300ms'").unwrap();
    let begin = Instant::now();
    let (kind, message) = run(&remote, 1).unwrap().remove(0).unwrap_err();
    assert_eq!(kind, FailureKind::TimedOut, "{message}");
    assert!(begin.elapsed() < Duration::from_secs(20));

    let (address, count) = by_hand(INFO, Some(""));
    let remote = connect(address, "workers = 1").unwrap();
    let (w, seeds) = batch(20);
    let error = remote.evaluate(w.as_view(), &seeds).unwrap_err();
    assert!(error.to_string().contains("5 times in a row"), "{error}");
    assert_eq!(count.load(Ordering::Relaxed), 5);
}

#[test]
fn bad_requests_to_our_server_have_an_error_body() {
    let function = |input: &[Vec<f64>], _: &_| Ok(vec![input[0].clone()]);
    let served = ServedFn::new("forward", vec![1], vec![1], function);
    let server = Running::new(vec![Box::new(served)]);
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(server.1).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    };
    let post = |path: &str, body: &str| {
        let length = body.len();
        ask(&format!(
            "POST {path} HTTP/1.1\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    };
    let good = post("/Evaluate", r#"{"name": "forward", "input": [[0.1]], "config": {}}"#);
    assert!(good.starts_with("HTTP/1.1 200 OK") && good.ends_with(r#"{"output":[[0.1]]}"#));
    let short = post("/Evaluate", r#"{"name": "forward", "input": [[0.1]]}"#);
    assert!(short.starts_with("HTTP/1.1 200"), "config may be left out: {short}");
    for (path, body, status, part) in [
        ("/Evaluate", r#"{"name": "forward", "input": [[1, 2]]}"#, 400, "InvalidInput"),
        ("/Evaluate", r#"{"name": "forward"}"#, 400, "`input` is missing"),
        ("/Evaluate", r#"{"name": "other", "input": [[1]]}"#, 400, "ModelNotFound"),
        ("/Evaluate", "{", 400, "InvalidInput"),
        ("/Gradient", r#"{"name": "forward"}"#, 400, "UnsupportedFeature"),
        ("/Nothing", r#"{"name": "forward"}"#, 404, "NotFound"),
    ] {
        let reply = post(path, body);
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{reply}");
        assert!(reply.contains("{\"error\":{\"type\":") && reply.contains(part), "{reply}");
    }
    assert!(ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
}
