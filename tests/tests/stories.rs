//! Stories: what a person does with the app and what goes wrong, through the contract, on a world that all of them share.

#[path = "stories/accidents.rs"]
mod accidents;
#[path = "stories/anchored.rs"]
mod anchored;
#[path = "stories/audit.rs"]
mod audit;
#[path = "stories/authorised.rs"]
mod authorised;
#[path = "stories/bad_requests.rs"]
mod bad_requests;
#[path = "stories/coloured.rs"]
mod coloured;
#[path = "stories/desk.rs"]
mod desk;
#[path = "stories/drafts.rs"]
mod drafts;
#[path = "stories/main_job.rs"]
mod main_job;
#[path = "stories/misrule.rs"]
mod misrule;
#[path = "stories/pegs.rs"]
mod pegs;
#[path = "stories/records.rs"]
mod records;
#[path = "stories/redeeming.rs"]
mod redeeming;
#[path = "stories/registries.rs"]
mod registries;
#[path = "stories/rollback.rs"]
mod rollback;
#[path = "stories/spending.rs"]
mod spending;
#[path = "stories/staking.rs"]
mod staking;
#[path = "stories/surroundings.rs"]
mod surroundings;
#[path = "stories/swapping.rs"]
mod swapping;
#[path = "stories/wallets.rs"]
mod wallets;
#[path = "stories/watching.rs"]
mod watching;
#[path = "stories/world.rs"]
mod world;
