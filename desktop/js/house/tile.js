/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/* The house in small, in its tile on a dashboard and in the mobile application; kept up to date by the core's news. */
(function(house) {
  'use strict';

  const math = house.math;
  const TICK_MS = 20000;
  const seconds = () => Date.now() / 1000;

  /** Draws the tiles that have not been drawn yet. */
  house.attach = function() {
    document.querySelectorAll('.jhTile[data-jh-house]:not([data-jh-drawn])').forEach((box) => {
      box.setAttribute('data-jh-drawn', '');
      const data = JSON.parse(box.dataset.jhHouse), skew = data.now - seconds();
      const figures = new Map(Object.values(data.values).map((figure) => [figure.cmd, figure]));
      const draw = () => house.flow.draw(box, data, seconds() + skew, true);
      const hear = (event) => {
        if (!document.body.contains(box)) {
          document.body.removeEventListener('cmd::update', hear);
          clearInterval(timer);
          return;
        }
        const news = [].concat(event.detail || []).filter((each) => figures.has(String(each.cmd_id)));
        news.forEach((each) => Object.assign(figures.get(String(each.cmd_id)), { value: math.number(each.value), at: seconds() + skew }));
        if (news.length) draw();
      };
      const timer = setInterval(() => (document.body.contains(box) ? draw() : hear({})), TICK_MS);
      document.body.addEventListener('cmd::update', hear);
      draw();
    });
  };
})(window.jeenergieHouse);
