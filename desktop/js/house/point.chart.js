/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Draws the day of a charge point: sun and car so far, the price of each hour, when it means to charge. The same facts are a
 * list for who cannot see the picture.
 */
(function(house) {
  'use strict';

  const math = house.math, element = house.svg, own = house.pointMath;
  const LEFT = 46, RIGHT = 8, TOP = 16, POWER = 128, GAP = 20, PRICE = 62, AXIS = 22;
  /** Room for a price, px. */
  const LABEL = 88;
  const QUARTER_MS = 900000;

  const price = (value, language) => (value === null ? '{{prix inconnu}}' : math.text(value, '€/kWh', language));
  const named = (period, data) => (data.periods[period] || {}).name || '';

  /** Powers so far, from a line at the bottom. */
  function powers(svg, outlook, data, x, scale, bottom) {
    own.runs(outlook.past, 'solar').forEach((run) => {
      const line = run.flatMap((each) => [[x(each.at), bottom - each.value * scale], [x(each.at + QUARTER_MS), bottom - each.value * scale]]);
      const path = line.map((point) => point.map((each) => each.toFixed(1)).join(' ')).join('L');
      element('path', { d: 'M' + line[0][0].toFixed(1) + ' ' + bottom + 'L' + path + 'L' + line[line.length - 1][0].toFixed(1) + ' ' + bottom + 'z', fill: data.colors.solar, class: 'jcArea' }, svg);
      element('path', { d: 'M' + path, stroke: data.colors.solar, class: 'jcLine' }, svg);
    });
    outlook.past.filter((each) => each.car).forEach((each) => {
      const at = own.ms(each.at);
      element('rect', { x: (x(at) + 0.5).toFixed(1), width: Math.max(1, x(at + QUARTER_MS) - x(at) - 1).toFixed(1), y: (bottom - each.car * scale).toFixed(1), height: (each.car * scale).toFixed(1), fill: data.colors.charger, class: 'jcCar' }, svg);
    });
  }

  function planned(svg, outlook, data, x, top, bottom) {
    outlook.plan.forEach((each) => {
      const from = x(each.from), width = Math.max(2, x(each.to) - from);
      const group = element('g', { class: 'jcPlan' }, svg);
      element('rect', { x: from.toFixed(1), y: top, width: width.toFixed(1), height: bottom - top, fill: data.colors.charger, stroke: data.colors.charger }, group);
      if (width > 74) element('text', { x: (from + width / 2).toFixed(1), y: top + 15, class: 'jcLabel', 'text-anchor': 'middle' }, group, '{{charge prévue}}');
    });
  }

  /** A column for each stretch of one price, as high as it costs. */
  function prices(svg, outlook, data, x, top, height) {
    const most = own.range(outlook.prices).most, now = x(outlook.at);
    outlook.prices.forEach((each) => {
      const from = x(each.from), width = x(each.to) - from;
      const size = each.price === null ? height : Math.max(4, Math.max(0, each.price) / (most || 1) * (height - 18));
      const color = (data.periods[each.period] || {}).color || data.colors.grid;
      const group = element('g', {}, svg);
      element('rect', { x: (from + 0.5).toFixed(1), y: (top + height - size).toFixed(1), width: Math.max(1, width - 1).toFixed(1), height: size.toFixed(1), rx: 2, fill: each.price === null ? 'none' : color, class: each.price === null ? 'jcUnknown' : 'jcPrice' }, group);
      element('title', {}, group, sentence(each, data));
      const [middle, room] = own.labelPlace(from, width, now, LABEL);
      const text = room > 92 || each.price === null ? price(each.price, data.language) : math.text(each.price, '€', data.language);
      if (room > (each.price === null ? 92 : 40)) {
        element('text', { x: middle.toFixed(1), y: (top + height - size - 4).toFixed(1), class: 'jcLabel', 'text-anchor': 'middle' }, group, text);
      }
    });
  }

  /** Draws. `box`: the element that holds svg and list; `data`: what does not change, with `language`. */
  function draw(box, outlook, data) {
    const width = Math.max(300, box.clientWidth || 700);
    const bottom = TOP + POWER, priceTop = bottom + GAP, height = priceTop + PRICE + AXIS;
    const x = own.across(outlook, LEFT, width - RIGHT), most = own.top(outlook), scale = POWER / most;
    const svg = element('svg', { viewBox: '0 0 ' + width + ' ' + height, role: 'img', 'aria-label': '{{Soleil et charge depuis ce matin, prix et plan des prochaines 24 heures}}' });
    [0, 0.5, 1].forEach((share) => {
      const y = bottom - share * POWER;
      element('line', { x1: LEFT, x2: width - RIGHT, y1: y, y2: y, class: share ? 'jcGrid' : 'jcZero' }, svg);
      element('text', { x: LEFT - 5, y: y + 4, class: 'jcAxis', 'text-anchor': 'end' }, svg, math.text(share * most / 1000, 'kW', data.language));
    });
    planned(svg, outlook, data, x, TOP, bottom);
    powers(svg, outlook, data, x, scale, bottom);
    const now = x(outlook.at);
    element('line', { x1: now.toFixed(1), x2: now.toFixed(1), y1: TOP - 4, y2: priceTop + PRICE, class: 'jcCursor' }, svg);
    prices(svg, outlook, data, x, priceTop, PRICE);
    element('line', { x1: LEFT, x2: width - RIGHT, y1: priceTop + PRICE, y2: priceTop + PRICE, class: 'jcZero' }, svg);
    own.ticks(outlook, (width - LEFT) / 46).forEach((each) => {
      element('line', { x1: x(each.at).toFixed(1), x2: x(each.at).toFixed(1), y1: TOP, y2: priceTop + PRICE, class: 'jcGrid' }, svg);
      element('text', { x: x(each.at).toFixed(1), y: height - 6, class: 'jcAxis', 'text-anchor': 'middle' }, svg, '{{%s h}}'.replace('%s', each.hour));
    });
    element('text', { x: Math.min(Math.max(now, LEFT + 30), width - 36).toFixed(1), y: 9, class: 'jcAxis jcStrong', 'text-anchor': 'middle' }, svg, '{{maintenant}}');
    const list = document.createElement('ul');
    list.className = 'jhFacts';
    list.append(...facts(outlook, data).map((text) => Object.assign(document.createElement('li'), { textContent: text })));
    box.replaceChildren(svg, list);
  }

  /** One stretch of a price in words. */
  function sentence(each, data) {
    const period = named(each.period, data);
    return '{{De %1 à %2 :}}'.replace('%1', own.clock(each.from)).replace('%2', own.clock(each.to)) + ' ' + price(each.price, data.language) + (period ? ', ' + period.toLowerCase() : '');
  }

  /** The picture in words. */
  function facts(outlook, data) {
    const since = own.clock(outlook.begin), found = [];
    const sun = own.energy(outlook.past, 'solar'), car = own.energy(outlook.past, 'car');
    found.push(sun === null ? '{{Soleil : pas mesuré}}' : '{{Soleil depuis %s :}}'.replace('%s', since) + ' ' + math.text(sun, 'kWh', data.language));
    if (car !== null) found.push('{{Voiture depuis %s :}}'.replace('%s', since) + ' ' + math.text(car, 'kWh', data.language));
    found.push(...outlook.prices.filter((each) => own.ms(each.to) > own.ms(outlook.at)).map((each) => sentence(each, data)));
    found.push(...(outlook.plan.length
      ? outlook.plan.map((each) => '{{Charge prévue de %1 à %2}}'.replace('%1', own.clock(each.from)).replace('%2', own.clock(each.to)))
      : ['{{Aucune charge prévue}}']));
    return found;
  }

  house.pointChart = { draw: draw, facts: facts };
})(window.jeenergieHouse);
