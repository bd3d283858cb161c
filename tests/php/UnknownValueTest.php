<?php

/** Widgets of the core before a first value, on the double, which shows 0 for a number without one as the core does. */
final class UnknownValueTest extends JeenergieTestCase
{
    public function testANumberWithoutAValueIsADashAndNoZero(): void
    {
        $cmd = $this->info('numeric');
        $this->assertSame('<b>power dashboard</b><i>0|–</i>', $cmd->toHtml());
        $cmd->setCache('value', 0);
        $this->assertSame('<b>power dashboard</b><i>0|0</i>', $cmd->toHtml());
    }

    public function testAYesOrNoWithoutAValueIsADashUntilItsFirst(): void
    {
        $cmd = $this->info('binary');
        $cmd->setEqLogic_id(7)->setName('<Relais>');
        foreach (['dashboard' => 'dashboard', 'mview' => 'mobile'] as $version => $view) {
            $html = $cmd->toHtml($version);
            $this->assertStringContainsString('>–</span>', $html);
            $this->assertStringContainsString('data-version="' . $view . '"', $html);
            $this->assertStringContainsString("eqLogic_id: '7'", $html, 'the tile is drawn anew with the first value');
            $this->assertStringContainsString('‹Relais›', $html);
            $this->assertStringNotContainsString('label-danger', $html);
            $this->assertDoesNotMatchRegularExpression('/#[a-zA-Z_]+#/', $html);
        }
        $cmd->setCache('value', 0);
        $this->assertSame('<b>power mobile</b><i>0|0</i>', $cmd->toHtml('mobile'));
    }

    public function testASliderOfAnUnknownValueIsAnEmptyField(): void
    {
        $info = $this->info('numeric');
        $info->save();
        $slider = new jeenergieCmd();
        $slider->setLogicalId('limit')->setType('action')->setSubType('slider')->setName('Limite')->setUnite('A');
        $slider->setConfiguration('minValue', 6)->setConfiguration('maxValue', '32" onfocus="x');
        $this->assertSame('<b>limit dashboard</b>', $slider->toHtml(), 'one without an info has no value to show');
        $slider->setValue($info->getId());
        $html = $slider->toHtml();
        $this->assertStringContainsString('min="6" max="32" step="any" placeholder="–"', $html);
        $this->assertStringContainsString('> A', $html);
        Memory::$cmds[$info->getId()]->setCache('value', 16);
        $this->assertSame('<b>limit dashboard</b>', $slider->toHtml());
    }

    public function testATextAndAnActionAreTheCores(): void
    {
        $this->assertSame('<b>power dashboard</b><i>|</i>', $this->info('string')->toHtml());
        $action = new jeenergieCmd();
        $action->setLogicalId('stop')->setType('action')->setSubType('other')->setName('Stop');
        $this->assertSame('<b>stop dashboard</b>', $action->toHtml());
    }

    public function testTheUsersParametersStayAndNothingIsKept(): void
    {
        $cmd = $this->info('numeric');
        $cmd->setDisplay('parameters', ['time' => 'duration', 'state' => 'mine']);
        $this->assertSame('<b>power dashboard</b><i>0|–</i>', $cmd->toHtml());
        $this->assertSame(['time' => 'duration', 'state' => 'mine'], $cmd->getDisplay('parameters'));
    }

    private function info(string $subType): jeenergieCmd
    {
        $cmd = new jeenergieCmd();
        $cmd->setLogicalId('power')->setType('info')->setSubType($subType)->setName('Puissance');
        return $cmd;
    }
}
