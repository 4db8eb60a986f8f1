#![allow(missing_docs, unreachable_pub, dead_code, clippy::print_stdout)]
#[path = "../../../tests/src/vectors/mod.rs"]
mod vectors;
fn main() {
    for p in std::env::args().skip(1) {
        for f in vectors::files(std::path::Path::new(&p)).unwrap() {
            let r = vectors::run_file(&f);
            match &r.outcome {
                Err(e) => println!("{}: ERROR {e}", f.display()),
                Ok((k, c)) => {
                    println!("{}: {k} {}/{}", f.display(), c.iter().filter(|c| c.ok).count(), c.len());
                    for c in c.iter().filter(|c| !c.ok).take(6) { println!("   {}: got {:.400} want {:.400}", c.id, c.got.to_string(), c.want.to_string()); }
                }
            }
        }
    }
}
