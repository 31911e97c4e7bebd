//! Requests to a server.

use std::{io, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::{error::ProgramError, json, text::quote};

use super::messages::{Failure, Reason};

/// The longest reply, in bytes.
const LONGEST: u64 = 1 << 26;

/// Requests to one server. Clones share their open connections.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    agent: ureq::Agent,
    url: String,
}

/// Why there is no reply to use.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No connection, or one that broke.
    Broken(String),
    /// No reply in time.
    Slow,
    /// The server says that it cannot.
    Error(Reason),
    /// A status of HTTP without a reason.
    Status(u16, String),
    /// A reply that cannot be read.
    Unreadable(String),
}

impl Connection {
    pub(crate) fn new(url: &str, timeout: Option<Duration>) -> Result<Self, ProgramError> {
        let bad =
            |reason: &str| ProgramError::Config { key: "um_bridge", reason: reason.to_owned() };
        if url.starts_with("https://") {
            return Err(bad("only `http://` is spoken; use a tunnel for other machines"));
        }
        if !url.starts_with("http://") {
            return Err(bad("an address begins with `http://`, as in \"http://localhost:4242\""));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(timeout)
            .timeout_connect(Some(timeout.unwrap_or(Duration::from_secs(10))))
            .max_redirects(0)
            .max_idle_connections_per_host(1024)
            .max_idle_connections(1024)
            .no_delay(true)
            .proxy(None)
            .build();
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { agent: config.into(), url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        read(self.agent.get(format!("{}{path}", self.url)).call())
    }

    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Refusal> {
        let body = serde_json::to_vec(body).map_err(|error| Refusal::Broken(error.to_string()))?;
        let request = self.agent.post(format!("{}{path}", self.url));
        read(request.content_type("application/json").send(&body[..]))
    }
}

fn read<T: DeserializeOwned>(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<T, Refusal> {
    let mut response = response.map_err(refusal)?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(LONGEST).read_to_vec().map_err(refusal)?;
    let text = String::from_utf8_lossy(&body);
    if let Ok(failure) = json::parse::<Failure>(&text) {
        return Err(Refusal::Error(failure.error));
    }
    if status != 200 {
        return Err(Refusal::Status(status, quote(&body)));
    }
    json::parse(&text)
        .map_err(|error| Refusal::Unreadable(format!("{error} in the reply {}", quote(&body))))
}

fn refusal(error: ureq::Error) -> Refusal {
    match error {
        ureq::Error::Timeout(_) => Refusal::Slow,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => Refusal::Slow,
        ureq::Error::BodyExceedsLimit(limit) => {
            Refusal::Unreadable(format!("the reply has more than {limit} bytes"))
        }
        other => Refusal::Broken(other.to_string()),
    }
}
