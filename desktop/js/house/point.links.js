/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/* Links from the page of the house to the pages of its charge points. */
(function(house) {
  'use strict';

  const place = document.querySelector('#div_jeenergieHouse .jhPoints');
  if (place === null) {
    return;
  }

  function link(point) {
    const made = Object.assign(document.createElement('a'), { textContent: point.name, href: 'index.php?v=d&m=jeenergie&p=point&id=' + encodeURIComponent(point.id) });
    made.addEventListener('click', (event) => {
      if (document.body.dataset.uimode === 'mobile') {
        event.preventDefault();
        jeedomUtils.loadPage('point', point.name, point.id, 'jeenergie');
      }
    });
    return made;
  }

  house.ask('points').then(({ points }) => {
    place.hidden = points.length === 0;
    place.replaceChildren('{{Bornes pilotées :}} ', ...points.flatMap((each, index) => (index ? [', ', link(each)] : [link(each)])));
  }, () => {}); // without it the page of the house is whole as well
})(window.jeenergieHouse);
