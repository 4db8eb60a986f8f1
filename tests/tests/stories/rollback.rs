//! A rollback that reaches below what counted as final.

use crate::world::{Desk, story_alone, world};
use causeway_contract::*;

async fn rollbacks(desk: &Desk) -> Vec<RollbackView> {
    desk.app.rollbacks(Empty {}).await.expect("an answer")
}

#[test]
fn a_deep_rollback_tells_which_payments_are_not_where_they_were_until_it_has_been_seen() {
    story_alone(async {
        let control = &world().await.control;
        let desk = Desk::with(300_000, 0).await;
        assert_eq!(rollbacks(&desk).await, []);
        let before = desk.history(NetworkId::Bitcoin).await.remove(0);
        control.mine(NetworkId::Bitcoin, 8).await.expect("blocks");
        desk.until(async |desk| desk.history(NetworkId::Bitcoin).await[0].confirmations >= 9).await;

        control.reorg(9).await.expect("other blocks");
        let fates = async |desk: &Desk| -> Vec<_> {
            rollbacks(desk).await.iter().flat_map(|view| view.changed.iter().map(|row| row.now)).collect()
        };
        desk.until(async |desk| fates(desk).await == [RollbackFate::Waiting]).await;
        let view = rollbacks(&desk).await.remove(0);
        assert_eq!((view.network, view.unchanged), (NetworkId::Bitcoin, 0));
        assert!(view.depth >= 9 && Some(view.fork_height) < before.height, "{view:?}");
        let row = &view.changed[0];
        assert_eq!((&row.before.txid, row.before.height, row.height), (&before.txid, before.height, None));

        control.mine(NetworkId::Bitcoin, 1).await.expect("a block");
        desk.until(async |desk| fates(desk).await == [RollbackFate::Moved]).await;
        let desk = desk.restart().await;
        let row = rollbacks(&desk).await.remove(0).changed.remove(0);
        assert!(row.height > row.before.height, "{row:?}");
        desk.app.rollback_dismiss(NetworkRef { network: NetworkId::Bitcoin }).await.expect("seen");
        assert_eq!(rollbacks(&desk).await, []);
        desk.close().await;
    });
}
