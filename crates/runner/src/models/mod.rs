//! Models of files: simulators that are programs, on servers or built in, with their random inputs.
//!
//! ```toml
//! [model]                                   # or um_bridge = "http://localhost:4242", or built_in = "f16"
//! command = ["python3", "brake.py"]
//!
//! [inputs]
//! speed = { normal = { mean = 20.0, sd = 2.5 }, unit = "m/s" }
//!
//! [outputs]
//! names = ["distance"]
//! units = ["m"]
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | [`file`](mod@file) | the model file |
//! | [`source`] | what evaluates: a program, a server or a built-in system, with progress |
//! | [`open`] | a model with its store |
//! | [`columns`] | names of the columns of a table of samples |
//! | [`samples`] | inputs, seeds and outcomes in a file |
//! | [`recorded`] | one row of such a file |
//! | [`words`] | inputs and statuses in words |

pub mod columns;
pub mod file;
pub mod open;
mod other_inputs;
pub mod recorded;
pub mod samples;
pub mod source;
pub mod words;
