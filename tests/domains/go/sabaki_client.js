// Drives a GTP engine with the controller of the Sabaki editor; prints what it got as JSON.
// node sabaki_client.js PROGRAM ARGUMENTS...
const {Controller, ControllerStateTracker} = require("@sabaki/gtp");

async function main([program, ...words]) {
  const controller = new Controller(program, words);
  const tracker = new ControllerStateTracker(controller);
  const send = (name, ...args) => controller.sendCommand({name, args});
  controller.start();
  const name = await send("name");
  const commands = (await send("list_commands")).content.split("\n");
  await tracker.sync({
    komi: 6.5,
    boardsize: [9, 9],
    history: [
      {name: "set_free_handicap", args: ["C3", "G7"]},
      {name: "play", args: ["W", "E5"]},
    ],
  });
  const move = await send("genmove", "B");
  const info = [];
  const analysis = controller.sendCommand({name: "analyze", args: ["W", "1"]}, ({line}) => {
    if (line.startsWith("info ") && info.push(line) === 3) send("protocol_version");
  });
  const ended = await analysis;
  const wrong = await controller.sendCommand({id: 7, name: "play", args: ["B", "E5"]});
  const {boardsize, komi, history} = tracker.state;
  await controller.stop();
  console.log(JSON.stringify({
    name: name.content, commands, move: move.content, info, ended: ended.error, wrong,
    boardsize, komi, history, stopped: controller.process === null,
  }));
}

main(process.argv.slice(2));
