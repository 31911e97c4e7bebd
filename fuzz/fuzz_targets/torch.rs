#![no_main]

use flow_core::{Flow, FlowConfig};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let config = FlowConfig::builder(2).hidden(4).steps(1).build().expect("the sizes are valid");
    latent_is_fuzz::with_file("x.pt", bytes, |path| {
        let _ = Flow::from_nflows(path, &config);
    });
});
