//! How the library is linked.

fn main() {
    // Our thread-local state and fork hooks outlive dlclose: the code must stay mapped.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Our function list must hold our functions, also beside a module that was loaded globally.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    println!("cargo:rerun-if-changed=build.rs");
}
