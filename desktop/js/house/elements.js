/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/* Makes elements of the pages and of their pictures. */
(function(house) {
  'use strict';

  /** An element of a page. */
  house.make = function(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  /** An element of a picture, as the last one in `parent`. */
  house.svg = function(tag, attributes, parent, text) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    Object.entries(attributes || {}).forEach(([key, value]) => made.setAttribute(key, value));
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };
})(window.jeenergieHouse);
