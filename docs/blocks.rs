//! The pages of the book as documentation, so that `cargo test` compiles and runs their Rust blocks.
//!
//! `tests/pages.rs` checks that every page with a Rust block is in this list.

/// One module per page, so that a failing block is named after its page.
macro_rules! pages {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!($path)]
            mod $name {}
        )*
    };
}

pages! {
    readme: "../README.md",
    latent_is_readme: "../crates/latent-is/README.md",
    flow_core_readme: "../crates/flow-core/README.md",
    mvee_readme: "../crates/mvee/README.md",
    sim_core_readme: "../crates/sim-core/README.md",
    quick_start: "src/use/quick-start.md",
    simulator_rust: "src/use/simulator-rust.md",
    simulator_um_bridge: "src/use/simulator-um-bridge.md",
    train_a_flow: "src/use/train-a-flow.md",
    from_pytorch: "src/use/from-pytorch.md",
    adaptive: "src/understand/adaptive.md",
    flows: "src/understand/flows.md",
    form_and_directions: "src/understand/form-and-directions.md",
    mvee: "src/understand/mvee.md",
    sim_toy: "src/understand/sim-toy.md",
    sim_gcas: "src/understand/sim-gcas.md",
    sim_racing: "src/understand/sim-racing.md",
    add_an_estimator: "src/contribute/add-an-estimator.md",
    add_a_simulator: "src/contribute/add-a-simulator.md",
}
