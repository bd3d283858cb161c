/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The house in small, in its tile on a dashboard and in the mobile application; kept up to date by the core's news. What
 * has no news is asked after now and then: Jeedom tells nothing of a value that stays the same, of the sun at night.
 */
(function(house) {
  'use strict';

  const math = house.math;
  const TICK_MS = 20000;
  /** A power without news for so long is asked after, and not again before as much time. */
  const QUIET_S = 300;
  const seconds = () => Date.now() / 1000;

  /** Draws the tiles that have not been drawn yet. */
  house.attach = function() {
    document.querySelectorAll('.jhTile[data-jh-house]:not([data-jh-drawn])').forEach((box) => {
      box.setAttribute('data-jh-drawn', '');
      const data = JSON.parse(box.dataset.jhHouse), skew = data.now - seconds();
      const figures = new Map(Object.values(data.values).map((figure) => [figure.cmd, figure]));
      const powers = Object.keys(math.TOLD).map((key) => data.values[key]);
      const draw = () => house.flow.draw(box, data, seconds() + skew, true);
      let asked = -Infinity;
      const askAfter = async () => {
        if (document.hidden || seconds() - asked <= QUIET_S || !math.isDoubtful(powers, seconds() + skew, QUIET_S, data.toldAt)) return;
        asked = seconds();
        try {
          data.told = (await house.ask('roles')).now;
          data.toldAt = seconds() + skew;
        } catch (error) {
          data.told = data.holds = undefined; // the ages say it
        }
        draw();
      };
      const tick = () => {
        draw();
        askAfter();
      };
      const hear = (event) => {
        if (!document.body.contains(box)) {
          document.body.removeEventListener('cmd::update', hear);
          clearInterval(timer);
          return;
        }
        const news = [].concat(event.detail || []).filter((each) => figures.has(String(each.cmd_id)));
        news.forEach((each) => {
          const figure = figures.get(String(each.cmd_id));
          Object.assign(figure, { value: math.number(each.value), at: seconds() + skew });
          const name = data.told && Object.keys(math.TOLD).find((key) => data.values[key] === figure);
          if (name) data.told[math.TOLD[name]] = figure.value;
        });
        if (news.length) draw();
      };
      const timer = setInterval(() => (document.body.contains(box) ? tick() : hear({})), TICK_MS);
      document.body.addEventListener('cmd::update', hear);
      tick();
    });
  };
})(window.jeenergieHouse);
