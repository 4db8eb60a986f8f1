//! The main job.

use crate::world::{open, story, world};
use causeway_tests::main_job::MainJob;

#[test]
fn btc_goes_to_the_sidechain_becomes_assets_and_comes_back() {
    story(async {
        let dir = tempfile::tempdir().expect("a folder");
        let app = open(dir.path(), world().await.realm.clone()).await.expect("opens");
        let steps = MainJob::new(app.clone(), |_| {}).run().await;
        app.close().await;
        assert!(steps.iter().all(|step| step.ok), "{steps:#?}");
        assert_eq!(steps.last().map(|step| step.name), Some("export a proof and check it"), "every step was taken");
    });
}
