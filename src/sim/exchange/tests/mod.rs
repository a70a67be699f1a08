mod accounts;
mod bars;
mod chaos;
mod linked;
mod reference;
mod resting;
mod scenes;
mod taking;
