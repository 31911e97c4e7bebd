#![no_main]

use flow_core::{FlowFile, default_device};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = FlowFile::from_bytes(bytes, "fuzz.safetensors", &default_device());
});
