<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Tiles;

use Jeenergie\Contract\Catalogue;
use Jeenergie\Energy\House;
use Jeenergie\Storage\Json;

/**
 * The tile by purpose: its parts, and below them how its equipment does. The frame (title, refresh, colours) is the core's.
 */
final class Tile
{
    /** True when this request has given the browser the style and the script, which serve all tiles. */
    private static $isStyled = false;

    /** HTML inside the frame. */
    public static function content(Subject $subject, string $version): string
    {
        $eqLogic = $subject->eqLogic;
        $parts = Plan::of($subject);
        if ($eqLogic->isConnection()) {
            $panels = Roof::panels($eqLogic);
            if ($panels !== []) {
                $asRow = fn(array $part): array => $part['part'] === 'state' ? ['part' => 'row'] + $part : $part;
                $parts = array_merge([['part' => 'roof', 'panels' => $panels]], array_map($asRow, $parts));
            }
        }
        $picture = '';
        // Asked for only where it can be: it costs a query.
        $measures = array_column($subject->rows(), 'measures');
        if (in_array('home.power', $measures, true) && House::isHome($eqLogic)) {
            // The picture says what these would repeat.
            $parts = array_filter($parts, fn(array $part): bool => !in_array($part['part'], ['figure', 'row', 'gauge'], true));
            $picture = House::small($eqLogic);
        }
        return self::assets() . '<div class="jtBody' . (self::isOld(self::state($subject)) ? ' jtOld' : '') . '">'
            . $picture . Parts::html($parts, $version) . self::health($subject) . '</div>'
            . '<script>window.jeenergieTiles && jeenergieTiles.attach()</script>';
    }

    /** The state in words with the age of the data, shown while something is wrong. */
    private static function health(Subject $subject): string
    {
        $eqLogic = $subject->eqLogic;
        $ids = array_filter([(string) $eqLogic->getId(), (string) $eqLogic->getConfiguration('connection')]);
        $last = strtotime((string) $eqLogic->getStatus('lastCommunication'));
        $state = self::state($subject);
        return '<div class="jtHealth" role="status" data-jt-states="' . implode(' ', $ids) . '" data-jt-last="' . ($last ?: '') . '"'
            . (self::isOld($state) ? '' : ' hidden') . '><span class="jtWord">' . Parts::text($state === '' ? '' : Catalogue::state($state))
            . '</span> <span class="jtAge"></span></div>';
    }

    private static function isOld(string $state): bool
    {
        return !in_array($state, ['', 'online'], true);
    }

    /** The state of its connection if that does not work, else its own; '' if none is known. */
    private static function state(Subject $subject): string
    {
        $connection = $subject->connection();
        $above = $connection === null ? '' : (string) ($connection->state()['state'] ?? '');
        $own = (string) ($subject->eqLogic->state()['state'] ?? '');
        return in_array($above, ['', 'online'], true) ? $own : $above;
    }

    private static function assets(): string
    {
        if (self::$isStyled) {
            return '';
        }
        self::$isStyled = true;
        $folder = __DIR__ . '/../../../desktop/';
        $tiles = Catalogue::tiles();
        $colors = Catalogue::quantities()['colors'];
        $told = [
            'marks' => Figure::marks(),
            'units' => $tiles['units'],
            'odd' => $tiles['odd'],
            'words' => (object) Figure::words(),
            'chips' => array_map(fn(string $color): string => $colors[$color], $tiles['chips']),
            'states' => array_combine(
                array_keys(Catalogue::common()['states']),
                array_map([Catalogue::class, 'state'], array_keys(Catalogue::common()['states']))
            ),
            'ages' => [
                's' => __('il y a moins d\'une minute', __FILE__),
                'min' => __('il y a {n} min', __FILE__),
                'h' => __('il y a {n} h', __FILE__),
                'd' => __('il y a {n} j', __FILE__),
            ],
        ];
        return '<style class="jtStyle">' . file_get_contents($folder . 'css/tiles.css') . '</style><script>'
            . 'window.jeenergieTilesTold = ' . str_replace('<', '\u003c', Json::encode($told)) . ";\n"
            . file_get_contents($folder . 'js/tiles.js') . '</script>';
    }
}
