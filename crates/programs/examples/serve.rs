//! Serves a model with two inputs, and their sum and product as outputs, to UM-Bridge clients. It has no output
//! for a negative first input.
//!
//! `cargo run -p programs --example serve 127.0.0.1:4243`

use std::error::Error;

use programs::{ServedError, ServedFn, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4243".to_owned());
    let served = ServedFn::new("forward", vec![2], vec![2], |input, _| match input[0][..] {
        [a, _] if a < 0.0 => Err(ServedError::NoOutput("a is negative".to_owned())),
        [a, b] => Ok(vec![vec![a + b, a * b]]),
        _ => Err(ServedError::NoOutput("two inputs, please".to_owned())),
    });
    let server = Server::bind(&address, vec![Box::new(served)])?;
    println!("serving at http://{}", server.address());
    server.run();
    Ok(())
}
