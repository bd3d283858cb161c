<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use Jeenergie\Daemon\CoreHooks;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Daemon\Socket;
use Jeenergie\Equipment\Lifecycle;
use Jeenergie\Equipment\Names;
use Jeenergie\Equipment\SettingsForm;
use Jeenergie\Pages\UnknownValue;
use Jeenergie\Pages\WidgetTemplate;
use Jeenergie\Storage\Row;
use Jeenergie\Tiles\Choice;
use Jeenergie\Tiles\Subject;
use Jeenergie\Tiles\Tile;

require_once __DIR__ . '/../src/autoload.php';

/**
 * A connection (account, gateway, server), or a piece of equipment behind one; both are eqLogics of this class.
 *
 * Configuration of a connection:
 *  - kind "connection"; backend: name of its catalogue
 *  - config: {setting: value}, typed, without secrets and without what equals the default
 *  - secrets: {setting: value}, encrypted in the database, never in toArray()
 * Configuration of an equipment:
 *  - kind "equipment"; backend; connection: id of the connection's eqLogic (text); type; key: the vendor's identifier
 *  - config: {setting: value}
 * Both:
 *  - shownCommands: posted by the page and not stored, see Lifecycle
 * logicalId: "connection::<backend>", or "<connection>::<type>::<key>", unique.
 * What the plugin remembers about them is not in their rows, see Notes.
 * Configuration of a command: settings: {setting: value}, those of its catalogue row (cadence, ...).
 */
class jeenergie extends eqLogic
{
    use CoreHooks;

    /** Allows the core's customization of tiles, which it disables for classes that override toHtml(). */
    public static $_widgetPossibility = ['custom' => true];

    /** Marks a secret, stored in base64, that the core's encryption would not restore. */
    private const RAW = 'raw:';

    /** True if isEnable has changed since the last save. */
    private $_toggled = false;

    /** True if secrets are encrypted in memory, false if readable, null if just created or read. */
    private $_isEncrypted = null;

    /** True while the core updates the level of the battery. */
    private $_batteryTime = false;

    /* ---------------------------------------------------------------- what it is */

    public function isConnection(): bool
    {
        return $this->getConfiguration('kind') === 'connection';
    }

    public function backend(): string
    {
        return (string) $this->getConfiguration('backend');
    }

    /** Type of equipment; null for a connection. */
    public function type(): ?string
    {
        return $this->isConnection() ? null : (string) $this->getConfiguration('type');
    }

    public function key(): string
    {
        return (string) $this->getConfiguration('key');
    }

    /** The connection of a piece of equipment; null if it is missing, and for a connection. */
    public function connection(): ?jeenergie
    {
        $parent = $this->isConnection() ? null : self::byId($this->getConfiguration('connection'));
        return $parent instanceof self ? $parent : null;
    }

    /** @return jeenergie[] equipment of this connection */
    public function equipment(): array
    {
        return $this->getId() == '' ? [] : self::byTypeAndSearchConfiguration(
            'jeenergie',
            ['kind' => 'equipment', 'connection' => (string) $this->getId()]
        );
    }

    /** @return jeenergie[] */
    public static function connections(): array
    {
        return self::byTypeAndSearchConfiguration('jeenergie', ['kind' => 'connection']);
    }

    /** Settings in force, with defaults and readable secrets. */
    public function config(): array
    {
        $fields = $this->fields();
        return Settings::resolve($fields, Settings::withFormer($fields, $this->enteredSettings()));
    }

    /** Settings as they were entered, right or wrong, without defaults, with readable secrets. */
    public function enteredSettings(): array
    {
        $entered = self::dictionary($this->getConfiguration('config')) + $this->secrets();
        return Settings::withFormer($this->fields(), $entered);
    }

    /** Settings for a "when" or a unit of the catalogue: its own, and its connection's as "connection.<setting>". */
    public function settings(): array
    {
        $settings = $this->config();
        $parent = $this->connection();
        foreach ($parent === null ? [] : $parent->config() as $key => $value) {
            $settings['connection.' . $key] = $value;
        }
        return $settings;
    }

    public function fields(): array
    {
        return Catalogue::fields($this->backend(), $this->type());
    }

    /** Rows of commands that apply with its settings, by logicalId. */
    public function rows(): array
    {
        return Catalogue::applicableRows($this->backend(), $this->type(), $this->settings());
    }

    /** The tile: the template of its type if chosen, the one by purpose, or the core's. */
    public function toHtml($_version = 'dashboard')
    {
        $template = WidgetTemplate::of($this);
        $subject = $template === null ? new Subject($this) : null;
        if ($subject !== null && !Choice::isByPurpose($subject)) {
            return parent::toHtml($_version);
        }
        $replace = $this->preToHtml($_version);
        if (!is_array($replace)) {
            return $replace; // not visible, or cached HTML
        }
        $version = jeedom::versionAlias($_version);
        $replace['#calledFrom#'] = __CLASS__;
        $replace['#eqLogic_class#'] = 'eqLogic_layout_default';
        if ($template !== null) {
            $html = WidgetTemplate::fill($this, $template, $replace, $version);
            return $html === '' ? parent::toHtml($_version) : $this->postToHtml($version, $html);
        }
        $replace['#cmd#'] = Tile::content($subject, $version);
        return $this->postToHtml($version, template_replace($replace, getTemplate('core', $version, 'eqLogic')));
    }

    /** {setting: value}, readable. */
    public function secrets(): array
    {
        return self::dictionary($this->getConfiguration('secrets'));
    }

    /** Last state reported by the daemon: {state, since, until, code, message}; [] if none. */
    public function state(): array
    {
        return self::dictionary($this->getCache('state'));
    }

    public static function dictionary($value): array
    {
        return is_array($value) ? $value : [];
    }

    /* ---------------------------------------------------------------- how it is pictured */

    /** CSS classes of its icon: by its field "icon", or that of its type; '' for an unknown system. */
    public function icon(): string
    {
        try {
            $part = Catalogue::part($this->backend(), $this->type());
        } catch (Exception $error) {
            return '';
        }
        return Settings::byKey($part['fields'])['icon']['icons'][$this->iconChoice()] ?? $part['icon'] ?? '';
    }

    /** Path of its picture: the user's own, or the one its field "icon" names; null if there is none. */
    public function picture(): ?string
    {
        $own = $this->getCustomImage();
        $choice = $own === null ? $this->iconChoice() : '';
        foreach ($choice === '' ? [] : ['svg', 'png'] as $extension) {
            $path = 'desktop/img/' . $choice . '.' . $extension;
            if (is_file(__DIR__ . '/../../' . $path)) {
                return 'plugins/jeenergie/' . $path;
            }
        }
        return $own;
    }

    public function getImage()
    {
        return $this->picture() ?? parent::getImage();
    }

    private function iconChoice(): string
    {
        $known = in_array($this->backend(), Catalogue::backends(), true);
        $choice = $known ? $this->config()['icon'] ?? '' : '';
        return is_string($choice) && preg_match('/^\w+$/', $choice) ? $choice : '';
    }

    /* ---------------------------------------------------------------- secrets */

    /** Called by the core before a row is written. */
    public function encrypt(): void
    {
        if ($this->_isEncrypted === true) {
            return;
        }
        $this->_isEncrypted = true;
        $this->eachSecret(static function (string $secret): ?string {
            // The core takes these for encrypted already, or for empty.
            $isOdd = $secret === '0' || strpos($secret, 'crypt:') !== false || strpos($secret, self::RAW) === 0;
            return utils::encrypt($isOdd ? self::RAW . base64_encode($secret) : $secret);
        });
    }

    /** Called by the core after a row is written or read. */
    public function decrypt(): void
    {
        if ($this->_isEncrypted === false) {
            return;
        }
        $this->_isEncrypted = false;
        $this->eachSecret(static function (?string $secret): string {
            $readable = (string) utils::decrypt($secret);
            return strpos($readable, self::RAW) === 0 ? base64_decode(substr($readable, strlen(self::RAW))) : $readable;
        });
    }

    private function eachSecret(callable $convert): void
    {
        $secrets = $this->secrets();
        if ($secrets !== []) {
            $changed = $this->_changed;
            $this->setConfiguration('secrets', array_map($convert, $secrets));
            $this->_changed = $changed;
        }
    }

    /** What the core hands to every signed-in user: everything but the secrets. */
    public function toArray(): array
    {
        $array = parent::toArray();
        $array['configuration'] = self::dictionary($array['configuration'] ?? null);
        unset($array['configuration']['secrets']);
        $array['secretsSet'] = array_keys(array_filter($this->secrets()));
        return $array;
    }

    /** The core prints whole objects in some of its errors. */
    public function __debugInfo(): array
    {
        return ['id' => $this->getId(), 'name' => $this->getName(), 'logicalId' => $this->getLogicalId()];
    }

    /* ---------------------------------------------------------------- life */

    public function setName($_name)
    {
        return parent::setName(Names::accepted((string) $_name));
    }

    public function setIsEnable($_isEnable)
    {
        $this->_toggled = $this->_toggled || $this->getIsEnable() != $_isEnable;
        return parent::setIsEnable($_isEnable);
    }

    /** Called by the core for each new battery level; after a charge it saves the whole row. */
    public function batteryStatus($_pourcent = '', $_datetime = '')
    {
        $this->_batteryTime = true;
        try {
            return parent::batteryStatus($_pourcent, $_datetime);
        } finally {
            $this->_batteryTime = false;
        }
    }

    /** Saves in full what has been enabled or disabled: one of the core's pages skips preSave() and postSave(). */
    public function save($_direct = false)
    {
        if ($this->_batteryTime) {
            Row::update('eqLogic', $this->getId(), [], ['batterytime' => $this->getConfiguration('batterytime')]);
            return true;
        }
        if ($this->getName() == '') {
            throw new Exception(__('Donnez un nom.', __FILE__)); // the core would print the whole object
        }
        $direct = $_direct && !$this->_toggled;
        $this->_toggled = false;
        try {
            return parent::save($direct);
        } finally {
            $this->decrypt(); // the core does not if the database refuses the row
        }
    }

    public function preSave(): void
    {
        Lifecycle::beforeSave($this);
    }

    public function postSave(): void
    {
        Lifecycle::afterSave($this);
    }

    /** Refusals come here: the core removes the commands before it calls preRemove(). */
    public function remove()
    {
        $removal = Lifecycle::beforeRemove($this);
        $removed = parent::remove();
        $removal();
        return $removed;
    }
}

class jeenergieCmd extends cmd
{
    /** Options passed on to the daemon; execute() may get a whole request, the api key included. */
    private const OPTIONS = ['slider', 'select', 'color', 'title', 'message', 'value'];

    public function execute($_options = [])
    {
        if ($this->getType() !== 'action') {
            return;
        }
        $eqLogic = $this->getEqLogic();
        $id = (string) $eqLogic->getId();
        if ($this->getLogicalId() === 'refresh') {
            Socket::request('refresh', [$eqLogic->isConnection() ? 'connection' : 'equipment' => $id]);
            return;
        }
        $options = array_intersect_key(jeenergie::dictionary($_options), array_flip(self::OPTIONS));
        Socket::request(
            'action',
            ['equipment' => $id, 'command' => $this->getLogicalId(), 'options' => (object) $options]
        );
    }

    public function toHtml($_version = 'dashboard', $_options = '')
    {
        $shown = UnknownValue::shownBy($this);
        return UnknownValue::html($this, (string) $_version)
            ?? ($shown === $this ? parent::toHtml($_version, $_options) : $shown->toHtml($_version, $_options));
    }

    public function setName($_name)
    {
        return parent::setName(Names::accepted((string) $_name));
    }

    /** A save of the page removes commands it has not posted; keeps those created after it was loaded. */
    public function dontRemoveCmd(): bool
    {
        return in_array($this->getLogicalId(), ['refresh', 'state'], true)
            || Lifecycle::isUnknownToPage($this->getEqLogic_id(), $this->getId());
    }

    public function save($_direct = false)
    {
        if ($this->getName() == '') {
            throw new Exception(__('Donnez un nom.', __FILE__));
        }
        return parent::save($_direct);
    }

    public function preSave(): void
    {
        SettingsForm::ofCommand($this);
    }

    public function postSave(): void
    {
        DesiredState::changed();
    }

    public function postRemove(): void
    {
        DesiredState::changed();
    }
}
